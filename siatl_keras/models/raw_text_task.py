"""`RawTextTask`: a task model that takes raw texts, and labels as people have them.

KerasHub's own turn texts into batches in the order given, each padded to its longest
text; this one sorts by length, shuffles each epoch from a seed, knows class names and
class weights, and takes what `siatl_keras.inputs` takes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.arguments import check_whole
from siatl_keras.callbacks import (
    CompleteLogs,
    LossMonitors,
    MonitorDirections,
    SetEpoch,
    in_order,
)
from siatl_keras.data import EpochCounter
from siatl_keras.inputs import as_texts
from siatl_keras.inputs.refusals import errors_of_rows
from siatl_keras.models import text_prediction
from siatl_keras.models.fit_preparation import fit_prepared
from siatl_keras.models.joint_task import JointTask
from siatl_keras.models.raw_text_batches import (
    DATASETS,
    RawTextBatches,
    checked_batch_size,
    refuse_with_dataset,
)
from siatl_keras.models.unknown_arguments import refuse_other_exports
from siatl_keras.tasks import Task


class RawTextTask(JointTask):
    """A model whose inputs are texts and whose answers are a task's.

    Batches are packed here, and Keras's own methods called with them: KerasHub's would
    preprocess them again.

    Attributes:
        task: a `siatl_keras.tasks.Task`.
        backbone: that reads the texts.
        preprocessor: a `SiATLPreprocessor`, or `None`.
        task_head: that answers.
        word_scores: a `WordScores` or `None`.
        export_writers: by format, functions of `siatl_keras.export`, which it adds.
    """

    task: Task
    backbone: Any
    preprocessor: Any
    task_head: Any
    word_scores: Any
    export_writers: ClassVar[dict[str, Callable[..., str]]] = {}

    def classify(self, x: Any, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the task's outputs of a packed batch, without the LM head.

        Args:
            x: dict of `token_ids` and `padding_mask`, int32 `[batch, time]`.
            training: bool, whether dropout is on.

        Returns:
            `(outputs [batch, outputs], attention weights [batch, time])`, float32.
        """
        return self.answer(self.states(x, training), x, training)

    def answer(self, states: Any, x: Any, training: bool = False) -> tuple[Any, Any]:
        """Computes what `classify` does from the states `[batch, time, embedding]`."""
        head, weights = self.task_head(states, x["padding_mask"], training=training)
        if self.word_scores is not None:
            head = self.word_scores(head, x, training=training)
        return self.task.outputs(head), weights

    @property
    def label_names(self) -> list[str]:
        """Names of the classes, levels or labels, in the order of their numbers."""
        return self.task.label_names

    @property
    def takes_pairs(self) -> bool:
        """Whether what is classified are pairs of texts."""
        return self._batches.are_pairs

    @property
    def _batches(self) -> RawTextBatches:
        return RawTextBatches(self.backbone, self.preprocessor, self.task)

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
            x: texts: list, tuple, 1-D numpy array or string tensor, pandas Series (by
                position). With `pairs=True`, pairs of texts: list of tuples, `[rows,
                2]` array or tensor, DataFrame of two columns. Or a `tf.data.Dataset` or
                `keras.utils.PyDataset` of batches `(texts, labels)` or `(texts, labels,
                weights)`, or of packed ones, see `siatl_keras.data`.
            y: labels, as the task takes them: for `SingleLabel` a class number or
                class name for each text, or an array of the classes' probabilities.
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
        check_whole(0, seed=seed)
        batches = self._batches
        logs = CompleteLogs(self.training_log_names)
        own, rows = [logs, MonitorDirections(), LossMonitors()], 0
        if isinstance(x, DATASETS):
            refuse_with_dataset(
                y=y,
                sample_weight=sample_weight,
                batch_size=batch_size,
                validation_split=validation_split or None,
            )
            table = batches.class_weights(class_weight, None)
            dataset = batches.packed(x, "x", labelled=True, class_weight=table)
        else:
            data = batches.labelled(x, y, sample_weight)
            if validation_split and validation_data is None:
                data, validation_data = batches.split(
                    data, validation_split, shuffle, verbose
                )
            if class_weight is not None:
                table = batches.class_weights(class_weight, data.targets)
                data = data.weighted_by_class(table)
            epoch = EpochCounter()
            own.append(SetEpoch(epoch))
            dataset = batches.dataset(
                data,
                batch_size,
                seed=seed if shuffle else None,
                epoch=epoch,
                on_coverage=lambda seen: seen.report(verbose),
                first_row=0,
            )
            rows = len(data)
        if validation_data is not None:
            size = kwargs.pop("validation_batch_size", batch_size)
            validation_data = batches.validation(validation_data, size, rows)
        prepared = fit_prepared(self, dataset, validation_data, verbose)
        with errors_of_rows(), prepared as kept:
            return keras.Model.fit(
                self,
                dataset,
                validation_data=validation_data,
                callbacks=in_order([callbacks, own, kept], verbose),
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
        batches = self._batches
        # Keras's `fit` evaluates on batches that it has kept.
        if not kwargs.get("_use_cached_eval_dataset"):
            if isinstance(x, DATASETS):
                refuse_with_dataset(
                    y=y, sample_weight=sample_weight, batch_size=batch_size
                )
                x = batches.packed(x, "x", labelled=True)
            else:
                data = batches.labelled(x, y, sample_weight)
                x = batches.dataset(data, batch_size)
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
        batch = self._batches.batch(x, y, sample_weight, class_weight)
        return keras.Model.train_on_batch(self, *batch, return_dict=return_dict)

    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Evaluates on a batch of texts; arguments as for `fit`."""
        batch = self._batches.batch(x, y, sample_weight, None)
        return keras.Model.test_on_batch(self, *batch, return_dict=return_dict)

    def predict(
        self,
        x: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        callbacks: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Computes the task's outputs for texts: logits, or numbers of a regression.

        Args:
            x: texts, an iterator of them, or a dataset of batches, as for `fit`.
            batch_size: int, 32 if not given.
            verbose: as for `keras.Model.predict`.
            callbacks: likewise.
            **kwargs: others of `keras.Model.predict`, for datasets.

        Returns:
            float32 numpy `[texts, outputs]`, in the order of the texts.

        Raises:
            ValueError: if `x` is something else; the message names the row.
        """
        how = {"verbose": verbose, "callbacks": callbacks}
        batches = self._batches
        if isinstance(x, DATASETS):
            refuse_with_dataset(batch_size=batch_size)
            with errors_of_rows():
                dataset = batches.packed(x, "x", labelled=False)
                return keras.Model.predict(self, dataset, **how, **kwargs)
        if x is None:
            raise ValueError("`x` is missing. Pass a list of texts.")
        texts = as_texts(x, "x", iterators=True, pairs=batches.are_pairs)
        if not texts:
            return np.zeros((0, self.task.num_outputs), "float32")
        if text_prediction.predicts_here(self) and not kwargs:
            size = checked_batch_size(batch_size)
            preprocessor = batches.texts_preprocessor
            return text_prediction.predict_here(self, preprocessor, texts, size, **how)
        texts, places = text_prediction.in_order_of_length(texts)
        dataset = batches.unlabelled(texts, batch_size)
        return keras.Model.predict(self, dataset, **how, **kwargs)[places]

    def predict_proba(self, x: Any = None, **kwargs: Any) -> np.ndarray:
        """Computes the probabilities of classes, levels or labels.

        Args:
            x: as for `predict`.
            **kwargs: as for `predict`.

        Returns:
            float32 numpy `[texts, label_names]`, in the order of the texts; each row
            sums to 1, but where a text may have several labels.

        Raises:
            ValueError: if the task is a regression.
        """
        return self.task.probabilities(self.predict(x, **kwargs))

    def predict_labels(self, x: Any = None, **kwargs: Any) -> list[Any]:
        """Answers for each text: its class, level, labels or number.

        Args:
            x: as for `predict`.
            **kwargs: as for `predict`.

        Returns:
            list in the order of the texts: of names as in `label_names` (`None` where
            the model abstains), of lists of these, or of float for a regression.
        """
        return self.task.answers(self.predict(x, **kwargs))

    def predict_on_batch(self, x: Any) -> np.ndarray:
        """Computes the task's outputs for one batch.

        Args:
            x: texts, as for `fit`, or a packed batch.

        Returns:
            float32 numpy `[batch, outputs]`.
        """
        return keras.Model.predict_on_batch(self, self._batches.texts_alone(x))

    def calibrate(self, x: Any, y: Any) -> None:
        """Fits how sure answers are on texts that the model has not learned from.

        The `task` keeps what probabilities and exports go by; `predict` is as before.

        Args:
            x: texts, as for `predict`.
            y: their labels, as for `fit`.
        """
        targets = self._batches.labelled(x, y, None).targets
        self.task = self.task.tuned_on(targets, self.predict(x, verbose=0))

    def predict_step(self, data: Any) -> tf.Tensor:
        """Computes the task's outputs `[batch, outputs]` of a packed batch."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.classify(x)[0]

    def classify_texts(self, texts: tf.Tensor) -> tf.Tensor:
        """Computes the task's outputs for one batch of texts, in the graph.

        Args:
            texts: string `[batch]`; pairs, `[batch, 2]`.

        Returns:
            float32 `[batch, outputs]`, in the order of the texts.
        """
        return text_prediction.classify_texts(self, texts)

    def attention(self, texts: Any) -> tuple[list[list[str]], list[list[float]]]:
        """Shows what the classifier looks at.

        Args:
            texts: list of str, or of pairs, which are one row of tokens each.

        Returns:
            `(tokens, weights)` of each text, start and end included; weights sum to 1.

        Raises:
            ValueError: if the model's pooling has no such weights.
        """
        return text_prediction.attention(self, self._batches.texts_preprocessor, texts)

    def export(
        self,
        filepath: str | os.PathLike[str],
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        weights: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Writes what the functions of `siatl_keras.export` write.

        Args:
            filepath: folder to be made, without theirs of a version.
            format: "tf_saved_model", "litert", "onnx" or "keras".
            verbose: bool, whether to print the path.
            weights: as for `export_litert`, with "litert".
            **kwargs: none; others of `keras.Model.export` are refused.

        Raises:
            ValueError: as they, or if the folder exists or an argument is not taken.
        """
        refuse_other_exports(self.export_writers, format, weights, kwargs)
        options = {} if weights is None else {"weights": weights}
        path = Path(filepath)
        if path.exists():
            raise ValueError(f"{path} exists already. Export to another folder.")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-") as folder:
            os.rename(self.export_writers[format](self, folder, **options), path)
        if verbose:
            print(f"Exported to {path}")
