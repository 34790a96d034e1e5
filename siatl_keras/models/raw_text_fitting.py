"""`RawTextFitting`: `fit` and `evaluate` on texts and labels.

KerasHub's own turn texts into batches in the order given, each padded to its longest
text; these sort by length, shuffle each epoch from a seed, know class names and class
weights, and take what `siatl_keras.inputs` takes.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.data import EpochCounter
from siatl_keras.inputs import (
    LabelledTexts,
    as_text_tensor,
    labelled_texts,
    validation_split,
)
from siatl_keras.inputs.refusals import errors_of_rows
from siatl_keras.models.raw_text_batches import (
    DATASETS,
    RawTextBatches,
    refuse_with_dataset,
)
from siatl_keras.training import CompleteLogs, LossMonitors, SetEpoch


class RawTextFitting(RawTextBatches):
    """Mixin for a `keras_hub.models.Task` with `preprocessor` and `task`."""

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
        validation_split: float | None = None,
        validation_data: Any = None,
        class_weight: Any = None,
        shuffle: bool = True,
        seed: int = 0,
        verbose: Any = "auto",
        callbacks: Any = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains on texts and labels.

        Args:
            x: texts: list, tuple, 1-D numpy array or string tensor, pandas Series
                (taken by position). For a model with `pairs=True`, pairs of texts:
                list of tuples, `[rows, 2]` array or tensor, DataFrame of two columns.
                Or a `tf.data.Dataset` or `keras.utils.PyDataset` of batches `(texts,
                labels)` or `(texts, labels, weights)`, or of packed batches as
                `siatl_keras.data.classification_dataset` makes them.
            y: labels, as the task takes them: for `SingleLabel` a class number or
                class name for each text.
            batch_size: int, 32 if not given.
            sample_weight: float, one for each text, weights of the task loss.
            validation_split: float between 0 and 1, share of the texts that are held
                out for validation: with `shuffle` the last ones of each class, in the
                classes' proportions, else the last ones of all, as Keras does. Has no
                effect where there is `validation_data`, as in Keras.
            validation_data: `(texts, labels)`, `(texts, labels, weights)`, or a dataset
                like `x`.
            class_weight: dict of class number or name to the weight of its texts in
                the task loss, where classes that are missing weigh 1; a list or array
                of all weights; or "balanced".
            shuffle: bool, whether to shuffle differently in each epoch.
            seed: int, of the shuffling.
            verbose: as for `keras.Model.fit`.
            callbacks: list of Keras callbacks.
            **kwargs: other arguments of `keras.Model.fit`.

        Returns:
            `keras.callbacks.History`.

        Raises:
            ValueError: if texts, labels or weights are not what is said above; the
                message names the argument and the row.
        """
        own = (CompleteLogs(self.training_log_names), LossMonitors())  # type: ignore[attr-defined]
        callbacks = [*keras.tree.flatten(callbacks or []), *own]
        if isinstance(x, DATASETS):
            refuse_with_dataset(
                y=y,
                sample_weight=sample_weight,
                batch_size=batch_size,
                validation_split=validation_split or None,
            )
            table = self._class_weights(class_weight, None)
            dataset = self._packed(x, "x", labelled=True, class_weight=table)
        else:
            data = self._labelled(x, y, sample_weight)
            if validation_split and validation_data is None:
                data, validation_data = self._split(
                    data, validation_split, shuffle, verbose
                )
            if class_weight is not None:
                table = self._class_weights(class_weight, data.targets)
                data = data.weighted_by_class(table)
            epoch = EpochCounter()
            callbacks.append(SetEpoch(epoch))
            dataset = self._dataset(
                data,
                batch_size,
                shuffle=shuffle,
                seed=seed,
                epoch=epoch,
                on_coverage=lambda seen: seen.report(verbose),
            )
        if validation_data is not None:
            validation_data = self._validation_dataset(
                validation_data, kwargs.pop("validation_batch_size", batch_size)
            )
        with errors_of_rows():
            return keras.Model.fit(
                self,
                dataset,
                validation_data=validation_data,
                callbacks=callbacks,
                shuffle=False,  # The dataset does; Keras's default makes it warn.
                verbose=verbose,
                **kwargs,
            )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Evaluates on texts and labels; arguments as for `fit`.

        Returns:
            the metrics, as `keras.Model.evaluate` does.
        """
        if not kwargs.get("_use_cached_eval_dataset"):
            if isinstance(x, DATASETS):
                refuse_with_dataset(
                    y=y, sample_weight=sample_weight, batch_size=batch_size
                )
                x = self._packed(x, "x", labelled=True)
            else:
                data = self._labelled(x, y, sample_weight)
                x = self._dataset(data, batch_size)
        with errors_of_rows():
            return keras.Model.evaluate(self, x, **kwargs)

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Makes one training step on a batch of texts; arguments as for `fit`."""
        batch = self._batch(x, y, sample_weight, class_weight)
        return keras.Model.train_on_batch(self, *batch, return_dict=return_dict)

    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Evaluates on a batch of texts; arguments as for `fit`."""
        batch = self._batch(x, y, sample_weight, None)
        return keras.Model.test_on_batch(self, *batch, return_dict=return_dict)

    def _batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
        if isinstance(x, dict):
            return x, y, sample_weight
        data = self._labelled(x, y, sample_weight)
        if class_weight is not None:
            data = data.weighted_by_class(
                self._class_weights(class_weight, data.targets)
            )
        return self._texts_preprocessor(
            as_text_tensor(data.texts, self.takes_pairs),
            y=tf.constant(data.targets),
            sample_weight=data.weights,
        )

    def _labelled(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        names: Any = ("x", "y", "sample_weight"),
    ) -> LabelledTexts:
        pairs = self.takes_pairs
        task = self.task  # type: ignore[attr-defined]
        return labelled_texts(x, y, sample_weight, task, names, pairs)

    def _class_weights(self, class_weight: Any, targets: np.ndarray | None) -> Any:
        if class_weight is None:
            return None
        return self.task.class_weights(class_weight, targets)  # type: ignore[attr-defined]

    def _split(
        self, data: LabelledTexts, share: float, shuffle: bool, verbose: Any
    ) -> tuple[LabelledTexts, LabelledTexts]:
        strata = self.task.strata(data.targets)  # type: ignore[attr-defined]
        training, held_out = validation_split(strata, share, stratified=shuffle)
        if verbose:
            which = "the last of each class" if shuffle else "the last"
            print(
                f"validation_split: {len(held_out)} of {len(data)} texts are held out, "
                f"{which}"
            )
        return data.rows(training), data.rows(held_out)

    def _validation_dataset(self, data: Any, batch_size: int | None) -> Any:
        if isinstance(data, DATASETS):
            return self._packed(data, "validation_data", labelled=True)
        if not isinstance(data, LabelledTexts):
            if not isinstance(data, (tuple, list)) or not 2 <= len(data) <= 3:
                raise ValueError(
                    "`validation_data` must be (texts, labels), (texts, labels, "
                    "weights), a `tf.data.Dataset` or a `keras.utils.PyDataset`. "
                    f"Received: {type(data).__name__}"
                    f"{f' of {len(data)}' if hasattr(data, '__len__') else ''}."
                )
            x, y, sample_weight = (*data, None) if len(data) == 2 else data
            names = tuple(f"validation_data[{part}]" for part in range(3))
            data = self._labelled(x, y, sample_weight, names)
        return self._dataset(data, batch_size)
