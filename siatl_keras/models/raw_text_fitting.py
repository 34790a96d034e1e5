"""`RawTextFitting`: `fit`, `evaluate` and `predict` on texts and labels.

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
from siatl_keras.data import classification_dataset as build_dataset
from siatl_keras.inputs import (
    ClassLabels,
    LabelledTexts,
    as_texts,
    class_weights,
    labelled_texts,
    packed_batches,
    validation_split,
)
from siatl_keras.inputs.batches import errors_of_rows
from siatl_keras.models.check_preprocessor import check_preprocessor
from siatl_keras.training import CompleteLogs, LossMonitors, SetEpoch

# Small enough for texts of like length to meet, large enough for matrix products to be
# fast (`benchmarks/serving.py`).
TEXTS_PER_PART = 64
BATCH_SIZE = 32
DATASETS = (tf.data.Dataset, keras.utils.PyDataset)


class RawTextFitting:
    """Mixin for a `keras_hub.models.Task` with `preprocessor` and `label_names`."""

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
                (taken by position). Or a `tf.data.Dataset` or `keras.utils.PyDataset`
                of batches `(texts, labels)` or `(texts, labels, weights)`, or of
                packed batches as `siatl_keras.data.classification_dataset` makes them.
            y: class numbers or class names, one for each text, see `ClassLabels`.
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
            _refuse_with_dataset(
                y=y,
                sample_weight=sample_weight,
                batch_size=batch_size,
                validation_split=validation_split or None,
            )
            table = self._class_weights(class_weight, None)
            dataset = self._packed(x, "x", labelled=True, class_weight=table)
        else:
            data = labelled_texts(x, y, sample_weight, self.classes)
            if validation_split and validation_data is None:
                data, validation_data = self._split(
                    data, validation_split, shuffle, verbose
                )
            if class_weight is not None:
                table = self._class_weights(class_weight, data.labels)
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
                _refuse_with_dataset(
                    y=y, sample_weight=sample_weight, batch_size=batch_size
                )
                x = self._packed(x, "x", labelled=True)
            else:
                data = labelled_texts(x, y, sample_weight, self.classes)
                x = self._dataset(data, batch_size)
        with errors_of_rows():
            return keras.Model.evaluate(self, x, **kwargs)

    def predict(
        self,
        x: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        callbacks: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Computes the task logits of texts.

        Args:
            x: texts, as for `fit`, or an iterator of texts; or a dataset of batches of
                texts or of packed batches, whose labels are left out.
            batch_size: int, 32 if not given.
            verbose: as for `keras.Model.predict`.
            callbacks: list of Keras callbacks.
            **kwargs: other arguments of `keras.Model.predict`, for datasets.

        Returns:
            float32 numpy `[texts, classes]`, in the order of the texts.

        Raises:
            ValueError: if `x` is something else; the message names the row.
        """
        how = {"verbose": verbose, "callbacks": callbacks}
        if isinstance(x, DATASETS):
            _refuse_with_dataset(batch_size=batch_size)
            with errors_of_rows():
                dataset = self._packed(x, "x", labelled=False)
                return keras.Model.predict(self, dataset, **how, **kwargs)
        if x is None:
            raise ValueError("`x` is missing. Pass a list of texts.")
        texts = as_texts(x, "x", iterators=True)
        if not texts:
            return np.zeros((0, self.num_classes), "float32")  # type: ignore[attr-defined]
        if self.distribute_strategy.num_replicas_in_sync > 1 or kwargs:  # type: ignore[attr-defined]
            # Batches of similar length need little padding. Characters are known before
            # the texts are tokenized.
            order = np.argsort([len(text) for text in texts], kind="stable")
            dataset = build_dataset(
                [texts[i] for i in order],  # type: ignore[misc]
                None,
                self._texts_preprocessor,
                _checked_batch_size(batch_size),
            )
            outputs = keras.Model.predict(self, dataset, **how, **kwargs)
            return outputs[np.argsort(order)]
        return self._predict_here(texts, _checked_batch_size(batch_size), **how)

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

    def predict_on_batch(self, x: Any) -> np.ndarray:
        """Computes the task logits of one batch.

        Args:
            x: texts, as for `fit`, or a packed batch.

        Returns:
            float32 numpy `[batch, classes]`.
        """
        if not isinstance(x, dict):
            texts = tf.constant(as_texts(x, "x"), tf.string)
            x = self._texts_preprocessor(texts)
        return keras.Model.predict_on_batch(self, x)

    def classify_texts(self, texts: tf.Tensor) -> tf.Tensor:
        """Computes the task logits of one batch of texts, in the graph.

        Works through the batch in parts of similar length: else all would be padded to
        the longest.

        Args:
            texts: string `[batch]`.

        Returns:
            float32 `[batch, classes]`, in the order of the texts.
        """
        preprocessor = self.preprocessor  # type: ignore[attr-defined]
        token_ids = preprocessor.tokenize(texts)
        order = tf.argsort(token_ids.row_lengths(), stable=True)
        token_ids = tf.gather(token_ids, order)
        # At least one, empty if need be: a TensorArray of no elements cannot be joined.
        parts = tf.maximum(1, -(-tf.size(order) // TEXTS_PER_PART))

        def classify(part: tf.Tensor, logits: tf.TensorArray) -> Any:
            rows = token_ids[part * TEXTS_PER_PART : (part + 1) * TEXTS_PER_PART]
            x = preprocessor.pack(rows)
            return part + 1, logits.write(part, self.classify(x)[0])  # type: ignore[attr-defined]

        shape = (None, self.num_classes)  # type: ignore[attr-defined]
        logits = tf.TensorArray(
            tf.float32, size=parts, element_shape=shape, infer_shape=False
        )
        _, logits = tf.while_loop(
            lambda part, _: part < parts,
            classify,
            (tf.constant(0), logits),
            parallel_iterations=1,
        )
        return tf.gather(logits.concat(), tf.argsort(order))

    @property
    def classes(self) -> ClassLabels:
        """The names of the classes, and how labels are read."""
        return ClassLabels(self.label_names)  # type: ignore[attr-defined]

    def label_ids(self, labels: Any) -> np.ndarray:
        """Turns class names or numbers into class numbers.

        Args:
            labels: see `ClassLabels.encode`.

        Returns:
            int32 numpy array.

        Raises:
            ValueError: if a label is not one of the model's classes.
        """
        return self.classes.encode(labels, "labels")

    def _predict_here(
        self, texts: list[Any], batch_size: int, verbose: Any, callbacks: Any
    ) -> np.ndarray:
        """Predicts without a tf.data pipeline, which takes longer than a short text."""
        preprocessor = self._texts_preprocessor
        with tf.device("cpu"):
            token_ids = preprocessor.tokenize(tf.constant(texts, tf.string))
        order = np.argsort(token_ids.row_lengths(), kind="stable")
        starts = range(0, len(texts), batch_size)
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = keras.callbacks.CallbackList(
                callbacks,
                add_progbar=verbose != 0,
                verbose=verbose,
                epochs=1,
                steps=len(starts),
                model=self,
            )
        self.make_predict_function()  # type: ignore[attr-defined]
        self.stop_predicting = False
        outputs = np.zeros((len(texts), self.num_classes), "float32")  # type: ignore[attr-defined]
        callbacks.on_predict_begin()
        for step, start in enumerate(starts):
            callbacks.on_predict_batch_begin(step)
            rows = order[start : start + batch_size]
            with tf.device("cpu"):
                x = preprocessor.pack(tf.gather(token_ids, rows))
            logits = self.predict_function([(x,)])  # type: ignore[attr-defined]
            outputs[rows] = logits
            callbacks.on_predict_batch_end(step, {"outputs": logits})
            if self.stop_predicting:
                break
        callbacks.on_predict_end()
        return outputs

    def _batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
        if isinstance(x, dict):
            return x, y, sample_weight
        data = labelled_texts(x, y, sample_weight, self.classes)
        if class_weight is not None:
            data = data.weighted_by_class(
                self._class_weights(class_weight, data.labels)
            )
        return self._texts_preprocessor(
            tf.constant(data.texts, tf.string),
            y=tf.constant(data.labels),
            sample_weight=data.weights,
        )

    def _class_weights(self, class_weight: Any, labels: np.ndarray | None) -> Any:
        if class_weight is None:
            return None
        return class_weights(class_weight, self.classes, labels)

    def _split(
        self, data: LabelledTexts, share: float, shuffle: bool, verbose: Any
    ) -> tuple[LabelledTexts, LabelledTexts]:
        training, held_out = validation_split(data.labels, share, stratified=shuffle)
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
            data = labelled_texts(x, y, sample_weight, self.classes, names)  # type: ignore[arg-type]
        return self._dataset(data, batch_size)

    def _dataset(
        self, data: LabelledTexts, batch_size: int | None, **how: Any
    ) -> tf.data.Dataset:
        return build_dataset(
            data.texts,  # type: ignore[arg-type]
            data.labels,
            self._texts_preprocessor,
            _checked_batch_size(batch_size),
            sample_weight=data.weights,
            **how,
        )

    def _packed(self, data: Any, argument: str, labelled: bool, **how: Any) -> Any:
        return packed_batches(
            data,
            self.preprocessor,  # type: ignore[attr-defined]
            self.classes,
            argument,
            labelled,
            **how,
        )

    @property
    def _texts_preprocessor(self) -> Any:
        preprocessor = self.preprocessor  # type: ignore[attr-defined]
        if preprocessor is None:
            raise ValueError(
                "The model has no preprocessor, and takes no texts, only a dataset of "
                "packed batches. Build it with "
                "`preprocessor=SiATLPreprocessor(tokenizer)`."
            )
        # Again: its `sequence_length` may have been set since.
        check_preprocessor(self.backbone, preprocessor)  # type: ignore[attr-defined]
        return preprocessor


def _checked_batch_size(batch_size: int | None) -> int:
    if batch_size is None:
        return BATCH_SIZE
    if isinstance(batch_size, bool) or batch_size != int(batch_size) or batch_size < 1:
        raise ValueError(
            f"`batch_size` must be a whole number from 1. Received: {batch_size!r}."
        )
    return int(batch_size)


def _refuse_with_dataset(**arguments: Any) -> None:
    """Raises a `ValueError` if something came with a dataset that the dataset holds."""
    given = [name for name, value in arguments.items() if value is not None]
    if given:
        raise ValueError(
            f"`{given[0]}` must not be passed where `x` is a dataset, which holds "
            f"texts, labels and weights, in batches. Remove `{given[0]}`."
        )
