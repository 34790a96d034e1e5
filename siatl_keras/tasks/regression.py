"""`Regression`: one number for each text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from siatl_keras.arguments import check_positive
from siatl_keras.inputs.column import Column
from siatl_keras.inputs.refusals import check_rank_one, described, refused_unless
from siatl_keras.inputs.rows import quoted
from siatl_keras.losses.task_loss import TaskLoss, keras_loss
from siatl_keras.metrics.task_metric import TaskMetric, keras_metric
from siatl_keras.tasks.task import Task, as_column

STRATA = 10
_LOSSES = (
    keras.losses.MeanSquaredError,
    keras.losses.MeanAbsoluteError,
    keras.losses.Huber,
    keras.losses.LogCosh,
)


@keras.saving.register_keras_serializable(package="siatl_keras")
class Regression(Task):
    """A number for each text, with the squared error.

    Targets are numbers, float32 `[texts]`; outputs are numbers of the same unit,
    `[texts, 1]`. Inside, the head learns numbers of mean 0 and standard deviation 1,
    and losses compare these, so that rates and γ mean the same whatever the unit.

    Args:
        mean: float, of the training texts' numbers.
        std: float, their standard deviation.

    Raises:
        ValueError: if one is not finite, or `std` not above 0.

    Example:
    >>> task = Regression.from_labels([1.0, 3.0])
    >>> task.mean, task.std
    (2.0, 1.0)
    """

    kind = "regression"
    measured = ("mae", "rmse")
    target_dtype = "float32"
    shapes = "numbers [batch] and numbers [batch, 1]"

    def __init__(self, mean: float = 0.0, std: float = 1.0) -> None:
        if isinstance(mean, bool) or _number(mean, of_file=False) is None:
            raise ValueError(
                f"`mean` must be a finite number. Received: mean={mean!r}."
            )
        check_positive(std=std)
        self.mean, self.std = float(mean), float(std)

    @classmethod
    def from_labels(cls, labels: Any) -> Regression:
        """Makes the task of the numbers' mean and deviation; see `Task.from_labels`."""
        column = as_column(labels)
        numbers = cls().encode(column).astype("float64")
        if not len(numbers) or numbers.min() == numbers.max():
            raise ValueError(
                f"{column.name} must hold two different numbers at least. Received: "
                f"{len(numbers)} texts, {numbers[:1].tolist()} each."
            )
        return cls(float(numbers.mean()), float(numbers.std()))

    @property
    def num_outputs(self) -> int:
        """1."""
        return 1

    def encode(self, column: Column) -> np.ndarray:
        """Turns numbers, or strings of a file, into numbers; see `Task.encode`."""
        numbers = []
        for row, value in enumerate(column.rows()):
            number = _number(value, column.is_file)
            if number is None:
                raise ValueError(
                    f"{column.place(row)}: expected a finite number. Received: "
                    f"{quoted(value)}."
                )
            numbers.append(number)
        return np.array(numbers, "float32")

    def graph_encoder(self, spec: Any, argument: str) -> Callable[[Any], tf.Tensor]:
        """Makes the function that encodes batches of numbers."""
        check_rank_one(spec, f"the labels of `{argument}`", spec, or_column=True)
        if not (spec.dtype.is_floating or spec.dtype.is_integer):
            raise ValueError(
                f"The labels of `{argument}` must be numbers. Received: "
                f"{described(spec)}."
            )

        def encode(labels: tf.Tensor) -> tf.Tensor:
            numbers = tf.cast(tf.reshape(labels, [-1]), tf.float32)
            right = tf.reduce_all(tf.math.is_finite(numbers))
            why = f"`{argument}` holds a label that is not finite."
            return refused_unless(right, [why], numbers)

        return encode

    def strata(self, targets: np.ndarray) -> np.ndarray:
        """Groups texts by tenths of their numbers."""
        ranks = np.argsort(np.argsort(targets, kind="stable"), kind="stable")
        groups = max(1, min(STRATA, len(targets) // 2))
        return ranks * groups // max(1, len(targets))

    def outputs(self, head: Any) -> Any:
        """Gives what the head computes the targets' unit."""
        return head * self.std + self.mean

    def loss(self, loss: Any) -> Any:
        """Makes the loss; "auto" is the mean squared error.

        Keras's losses compare standardised numbers, one's own those of the targets.
        """
        auto = isinstance(loss, str) and loss == "auto"
        given = keras.losses.MeanSquaredError() if auto else loss
        made, kind = keras_loss(given, _LOSSES, self.shapes, "numbers")
        return made if kind is None else TaskLoss(made, self._standardised)

    def metric(self, metric: Any) -> Any:
        """Makes a metric; Keras's compare numbers in the targets' unit."""
        if isinstance(metric, str) and metric in ("accuracy", "acc"):
            raise ValueError(
                '`metrics` of a regression cannot hold "accuracy", which compares '
                'classes. Pass "mae".'
            )
        metric, name = keras_metric(metric, keras.metrics.Accuracy, self.shapes)
        return metric if name is None else TaskMetric(metric, _as_columns, name)

    def default_metrics(self) -> list[Any]:
        """Returns mean absolute and root mean squared error, in the targets' unit."""
        return [
            keras.metrics.MeanAbsoluteError("mae"),
            keras.metrics.RootMeanSquaredError("rmse"),
        ]

    def served(self, outputs: Any) -> dict[str, tf.Tensor]:
        """Returns `value`, float32 `[batch]`."""
        return {"value": tf.cast(outputs, tf.float32)[:, 0]}

    def answers(self, outputs: Any) -> list[float]:
        """Returns the numbers."""
        return np.asarray(outputs, "float64")[:, 0].tolist()

    @property
    def answer_columns(self) -> list[str]:
        """The number."""
        return ["value"]

    def answer_rows(self, outputs: Any) -> list[dict[str, Any]]:
        """Returns a dict of `value` for each text, of 6 significant digits."""
        return [{"value": float(f"{value:.6g}")} for value in self.answers(outputs)]

    def report(self, targets: np.ndarray, outputs: Any) -> Any:
        """Returns a `NumberReport`: errors and correlations."""
        from siatl_keras.evaluation import evaluate_numbers

        return evaluate_numbers(targets, np.asarray(outputs)[:, 0])

    def predictions(self, targets: np.ndarray, outputs: Any) -> Any:
        """Returns the numbers, without scores."""
        from siatl_keras.evaluation import Predictions

        numbers = np.asarray(outputs, "float64")[:, 0]
        return Predictions(
            targets.astype("float64"), numbers, np.zeros((len(numbers), 0))
        )

    def linear_model(self, strength: float, class_weight: str | None = None) -> Any:
        """Returns ridge regression."""
        from sklearn.linear_model import Ridge

        if class_weight is not None:
            self.class_weights(class_weight, None)
        return Ridge(alpha=1.0 / strength)

    def linear_start(
        self, features: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Returns a ridge regression, its strength chosen by leaving one out."""
        from sklearn.linear_model import RidgeCV

        numbers = (targets - self.mean) / self.std
        model = RidgeCV(np.geomspace(1.0, 1e4, 9)).fit(features, numbers)
        return model.coef_[:, None], np.array([model.intercept_])

    def linear_outputs(self, estimator: Any, features: Any) -> np.ndarray:
        """Returns the numbers, `[texts, 1]`."""
        return estimator.predict(features)[:, None]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"mean": self.mean, "std": self.std}

    def _standardised(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        return tuple(
            (values - self.mean) / self.std for values in _as_columns(y_true, y_pred)
        )  # type: ignore[return-value]


def _as_columns(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    return (
        ops.reshape(ops.cast(y_true, "float32"), (-1, 1)),
        ops.reshape(ops.cast(y_pred, "float32"), (-1, 1)),
    )


def _number(value: Any, of_file: bool) -> float | None:
    """Returns a finite number; `None` for everything else."""
    is_number = isinstance(value, (int, float, np.integer, np.floating))
    if not is_number and not (of_file and isinstance(value, str)):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    # Targets are float32, in which 1e39 is infinite.
    finite = abs(number) <= float(np.finfo("float32").max)
    return number if finite and not isinstance(value, bool) else None
