"""`MultiLabel`: any number of labels for each text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from siatl_keras.inputs.column import Column
from siatl_keras.inputs.refusals import described, refused_unless
from siatl_keras.inputs.rows import quoted
from siatl_keras.losses.label_crossentropy import LabelCrossentropy
from siatl_keras.losses.task_loss import TaskLoss, from_logits, keras_loss
from siatl_keras.metrics.task_metric import TaskMetric, keras_metric
from siatl_keras.tasks.confidence import Confidence
from siatl_keras.tasks.label_names import LabelNames
from siatl_keras.tasks.label_rows import SEPARATOR, matrix_of, rows_of_labels
from siatl_keras.tasks.label_thresholds import (
    THRESHOLD,
    best_threshold,
    checked_thresholds,
)
from siatl_keras.tasks.single_label import by_name, count_rows
from siatl_keras.tasks.task import Task, as_column, label_name
from siatl_keras.tasks.temperature import fitted_temperature
from siatl_keras.tasks.yes_or_no_start import yes_or_no_start

_LOSSES = (
    keras.losses.BinaryCrossentropy,
    keras.losses.BinaryFocalCrossentropy,
    keras.losses.Hinge,
    keras.losses.SquaredHinge,
)


@keras.saving.register_keras_serializable(package="siatl_keras")
class MultiLabel(Task):
    """Several labels for each text, or none: a sigmoid for each.

    Labels of a text are a list, tuple or set of names or numbers, or a string with
    commas between them, as in a file; those of all texts may also be a 0/1 matrix.
    Targets are 0 or 1, float32 `[texts, labels]`; outputs are logits `[texts, labels]`;
    the answer holds the labels whose probability is above their threshold.

    Args:
        label_names: names of the labels, in the order of their numbers, without commas.
        thresholds: float `[labels]`, one for all, or `None` for 0.5; see `tuned_on`.
        temperature: float, see `Confidence`; `tuned_on` finds it.

    Raises:
        ValueError: if a name holds a comma, or see `LabelNames` and `Confidence`; or if
            thresholds are not above 0 and below 1, or not one for each label.

    Example:
    >>> task = MultiLabel(["anger", "joy", "surprise"])
    >>> task.encode(Column([["joy", "surprise"], "anger", []], "y")).tolist()
    [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    >>> task.answers([[-1.0, 2.0, 0.5]])
    [['joy', 'surprise']]
    """

    kind = "multi_label"
    measured = ("macro_f1", "micro_f1")
    target_dtype = "float32"
    shapes = "0/1 targets [batch, labels] and logits [batch, labels]"

    def __init__(
        self, label_names: Any, thresholds: Any = None, temperature: float = 1.0
    ) -> None:
        self.names = LabelNames(label_names)
        for name in self.names:
            if SEPARATOR in name:
                raise ValueError(
                    "`label_names` must not hold commas, which separate the labels of "
                    f"a text. Received: {name!r}."
                )
        self.thresholds = checked_thresholds(thresholds, len(self.names))
        self.confidence = Confidence(temperature)

    @classmethod
    def from_labels(cls, labels: Any) -> MultiLabel:
        """Makes the task of all labels that occur; see `Task.from_labels`."""
        column = as_column(labels)
        if matrix_of(column.values) is not None:
            columns = getattr(column.values, "columns", None)
            size = np.shape(column.values)[1]
            return cls(list(columns) if columns is not None else list(range(size)))
        places = [
            (place := column.place(row), label_name(label, place))
            for row, labels_of_row in enumerate(rows_of_labels(column))
            for label in labels_of_row
        ]
        return cls(list(LabelNames.found_in(places)))

    @property
    def num_outputs(self) -> int:
        """Number of labels."""
        return len(self.names)

    @property
    def target_shape(self) -> tuple[int, ...]:
        """`(labels,)`."""
        return (self.num_outputs,)

    @property
    def label_names(self) -> list[str]:
        """Names of the labels, in the order of their numbers."""
        return list(self.names)

    def encode(self, column: Column) -> np.ndarray:
        """Turns the labels of texts into rows of 0 and 1; see `Task.encode`.

        An array may have probabilities between, as other models give them.
        """
        matrix = matrix_of(column.values)
        if matrix is not None:
            return self._checked(matrix, column)
        rows = rows_of_labels(column)
        if self.num_outputs == 2 and rows and all({*row} == {0, 1} for row in rows):
            raise ValueError(
                f"{column.name} can be read in two ways: as rows of 0 and 1, and as "
                "the numbers of both labels for each text. Pass names, or "
                f"np.array({column.argument})."
            )
        places = [row for row, labels in enumerate(rows) for _ in labels]
        numbers = self.names.encode_rows(
            [label for labels in rows for label in labels],
            column,
            lambda index: column.place(places[index]),
        )
        targets = np.zeros((len(rows), self.num_outputs), "float32")
        targets[places, numbers] = 1.0
        return targets

    def graph_encoder(self, spec: Any, argument: str) -> Callable[[Any], tf.Tensor]:
        """Makes the function that encodes batches of strings or of 0/1 rows."""
        what = f"The labels of `{argument}`"
        if isinstance(spec, tf.RaggedTensorSpec) and spec.shape.rank == 2:
            return self._ragged_encoder(spec, argument)
        if not isinstance(spec, tf.TensorSpec):
            raise ValueError(f"{what} must be a tensor. Received: {described(spec)}.")
        if spec.dtype == tf.string and spec.shape.rank == 1:
            encode = self._ragged_encoder(spec, argument)

            def of_strings(labels: tf.Tensor) -> tf.Tensor:
                split = tf.strings.split(labels, SEPARATOR)
                split = split.with_flat_values(tf.strings.strip(split.flat_values))
                is_label = tf.not_equal(split, "")
                return encode(tf.ragged.boolean_mask(split, is_label))

            return of_strings
        if spec.dtype == tf.string or spec.shape.rank != 2:
            raise ValueError(
                f"{what} must be strings [batch] such as 'joy,surprise', ragged rows "
                f"of names, or 0/1 rows [batch, {self.num_outputs}]. Received: "
                f"{described(spec)}."
            )
        if spec.shape[1] not in (None, self.num_outputs):
            raise ValueError(
                f"{what} must have a column for each of the {self.num_outputs} labels. "
                f"Received: {described(spec)}."
            )

        def of_rows(labels: tf.Tensor) -> tf.Tensor:
            targets = tf.ensure_shape(
                tf.cast(labels, tf.float32), [None, self.num_outputs]
            )
            right = tf.reduce_all((targets >= 0) & (targets <= 1))
            why = f"`{argument}` holds rows of labels that are not between 0 and 1."
            return refused_unless(right, [why], targets)

        return of_rows

    def strata(self, targets: np.ndarray) -> np.ndarray:
        """Groups texts by their rarest label, so that no label is all held out."""
        is_label = targets >= 0.5
        rarity = np.where(is_label, -is_label.sum(0), -np.inf)
        return np.where(is_label.any(1), rarity.argmax(1), self.num_outputs)

    def loss(self, loss: Any) -> Any:
        """Makes the loss; "auto" is the sum of the labels' binary cross-entropies.

        Keras's binary losses compute from the logits, whatever their `from_logits`, and
        are means over the labels.
        """
        if isinstance(loss, str) and loss == "auto":
            return LabelCrossentropy()
        loss, kind = keras_loss(loss, _LOSSES, self.shapes, "label with 0 and 1")
        return loss if kind is None else TaskLoss(from_logits(loss), _as_floats)

    def metric(self, metric: Any) -> Any:
        """Makes a metric; Keras's get 0/1 rows and probabilities."""
        accuracy = keras.metrics.BinaryAccuracy
        metric, name = keras_metric(metric, accuracy, self.shapes)
        if name is None:
            return metric
        with_logits = metric.get_config().get("from_logits")
        shape = _rounded_and_logits if with_logits else _rounded_and_sigmoids
        return TaskMetric(metric, shape, name)

    def default_metrics(self) -> list[Any]:
        """Returns macro and micro F1, at thresholds of 0.5."""
        return [
            keras.metrics.F1Score(average, threshold=THRESHOLD, name=f"{average}_f1")
            for average in ("macro", "micro")
        ]

    def tuned_on(self, targets: np.ndarray, outputs: np.ndarray) -> MultiLabel:
        """Fits the temperature, and chooses each label's threshold for the best F1.

        A threshold lies halfway between two probabilities; of equally good ones, the
        one nearest to 0.5 is taken, and 0.5 for a label of fewer than 5 held-out texts.
        """
        found = fitted_temperature(self.mean_loss, targets, outputs)
        scaled = self.changed(temperature=found)
        probabilities = scaled.probabilities(outputs, "float64")
        thresholds = [
            best_threshold(targets[:, label] >= 0.5, probabilities[:, label])
            for label in range(self.num_outputs)
        ]
        return scaled.changed(thresholds=thresholds)

    def served(self, outputs: Any) -> dict[str, tf.Tensor]:
        """Returns `labels` with commas between, `is_label` and `probabilities`."""
        scaled = self.confidence.scaled(tf.cast(outputs, tf.float32))
        probabilities = tf.sigmoid(scaled)
        is_label = probabilities > tf.constant(self.thresholds, tf.float32)
        rows = tf.RaggedTensor.from_row_lengths(
            tf.gather(tf.constant(self.label_names), tf.where(is_label)[:, 1]),
            tf.reduce_sum(tf.cast(is_label, tf.int64), -1),
        )
        return {
            "labels": tf.strings.reduce_join(rows, -1, separator=SEPARATOR),
            "is_label": is_label,
            "probabilities": probabilities,
        }

    def answers(self, outputs: Any) -> list[list[str]]:
        """Returns lists of the names of labels."""
        return [
            [self.names[label] for label in np.flatnonzero(row)]
            for row in self._is_label(outputs)
        ]

    def probabilities(self, outputs: Any, dtype: str = "float32") -> np.ndarray:
        """Returns `[texts, labels]`, each label's on its own."""
        return tf.sigmoid(self.confidence.scaled(tf.cast(outputs, dtype))).numpy()

    @property
    def answer_columns(self) -> list[str]:
        """The labels, and the probability of each."""
        return ["labels", *self.names]

    def answer_rows(self, outputs: Any) -> list[dict[str, Any]]:
        """Returns a dict of `labels`, a list, and `probabilities` by name."""
        return [
            {"labels": labels, "probabilities": by_name(self.names, row)}
            for labels, row in zip(
                self.answers(outputs), self.probabilities(outputs), strict=True
            )
        ]

    def report(self, targets: np.ndarray, outputs: Any) -> Any:
        """Returns a `MultiLabelReport`: F1 over labels, and of each."""
        from siatl_keras.evaluation import evaluate_multi_label

        # What is not finite is no answer, which the report must hear of.
        finite = np.isfinite(np.asarray(outputs))
        predicted = np.where(finite, self._is_label(outputs), np.nan)
        return evaluate_multi_label(
            targets.astype(int),
            predicted,
            self.label_names,
            self.probabilities(outputs, "float64"),
        )

    def predictions(self, targets: np.ndarray, outputs: Any) -> Any:
        """Returns rows of 0 and 1, and the probabilities in float64."""
        from siatl_keras.evaluation import Predictions

        scores = self.probabilities(outputs, "float64")
        predicted = self._is_label(outputs).astype(int)
        return Predictions(targets.astype(int), predicted, scores, tuple(self.names))

    def linear_model(self, strength: float, class_weight: str | None = None) -> Any:
        """Returns logistic regression of each label against the others."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsRestClassifier

        if class_weight is not None:
            self.class_weights(class_weight, None)
        return OneVsRestClassifier(LogisticRegression(C=strength, max_iter=2000))

    def linear_start(
        self, features: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Returns a regression of each label, see `yes_or_no_start`."""
        return yes_or_no_start(features, targets >= 0.5, np.ones_like(targets, bool))

    def linear_outputs(self, estimator: Any, features: Any) -> np.ndarray:
        """Returns log odds; of a label that all or no training texts have, ±16."""
        probabilities = np.clip(estimator.predict_proba(features), 1e-7, 1 - 1e-7)
        assert probabilities.shape == (count_rows(features), self.num_outputs)
        return np.log(probabilities) - np.log1p(-probabilities)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "label_names": self.label_names,
            "thresholds": self.thresholds,
            "temperature": self.confidence.temperature,
        }

    def _ragged_encoder(self, spec: Any, argument: str) -> Callable[[Any], tf.Tensor]:
        flat = tf.TensorSpec([None], spec.dtype)
        encode = self.names.graph_encoder(flat, argument)

        def of_ragged(labels: tf.RaggedTensor) -> tf.Tensor:
            numbers = encode(labels.flat_values)
            places = tf.stack([tf.cast(labels.value_rowids(), tf.int32), numbers], -1)
            shape = [tf.cast(labels.nrows(), tf.int32), self.num_outputs]
            counts = tf.scatter_nd(places, tf.ones_like(numbers, tf.float32), shape)
            return tf.ensure_shape(tf.minimum(counts, 1.0), [None, self.num_outputs])

        return of_ragged

    def _checked(self, matrix: np.ndarray, column: Column) -> np.ndarray:
        if matrix.shape[1] != self.num_outputs:
            raise ValueError(
                f"{column.name} must have a column for each of the {self.num_outputs} "
                f"labels. Received shape {matrix.shape}."
            )
        names = getattr(column.values, "columns", None)
        if names is not None and [str(name) for name in names] != self.label_names:
            raise ValueError(
                f"{column.name} must have its columns in the order of the labels "
                f"{self.label_names[:8]}. Received: {[str(n) for n in names][:8]}. "
                f"Pass {column.argument}[model.label_names]."
            )
        try:
            values = matrix.astype("float32")
        except (TypeError, ValueError):
            values = np.full(matrix.shape, np.nan)
        wrong = np.argwhere(~((values >= 0) & (values <= 1)))
        if len(wrong):
            row, label = wrong[0]
            received = matrix[row].tolist()[label]
            raise ValueError(
                f"{column.place(row)}: expected 0, 1 or a probability for the label "
                f"{self.names[label]!r}. Received: {quoted(received)}."
            )
        return values

    def _is_label(self, outputs: Any) -> np.ndarray:
        return self.probabilities(outputs) > np.array(self.thresholds, "float32")


def _as_floats(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    return ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")


def _rounded_and_logits(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    return ops.cast(y_true >= 0.5, "float32"), ops.cast(y_pred, "float32")


def _rounded_and_sigmoids(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    rounded, logits = _rounded_and_logits(y_true, y_pred)
    return rounded, ops.sigmoid(logits)
