"""`Ordinal`: one of several levels that have an order, such as stars."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from siatl_keras.inputs.column import Column
from siatl_keras.inputs.soft_labels import most_probable
from siatl_keras.losses import task_loss
from siatl_keras.losses.task_loss import TaskLoss
from siatl_keras.metrics import LevelAccuracy, LevelError, QuadraticKappa, task_metric
from siatl_keras.metrics.level_metrics import level_log_probabilities, median_levels
from siatl_keras.metrics.task_metric import TaskMetric
from siatl_keras.tasks.class_weights import class_weights
from siatl_keras.tasks.confidence import Confidence
from siatl_keras.tasks.label_names import LabelNames
from siatl_keras.tasks.single_label import by_name, count_rows
from siatl_keras.tasks.task import Task, as_column, named_labels
from siatl_keras.tasks.temperature import fitted_temperature
from siatl_keras.tasks.yes_or_no_start import yes_or_no_start


@keras.saving.register_keras_serializable(package="siatl_keras")
class Ordinal(Task):
    """One of several levels in order: a chain of yes-or-no questions.

    Output k says whether a text that has reached level k goes on to the next, so that
    the probability of level k is that of going on k times and then stopping (a
    continuation-ratio model; McCullagh 1980, section 6, treats its kin). Targets are
    level numbers, int32 `[texts]`; outputs are logits `[texts, levels - 1]`. The
    answer is the median level, which has the least expected distance from the truth.

    Args:
        levels: names of the levels, str or int, lowest first.
        temperature: float, see `Confidence`; `tuned_on` finds it.
        abstain_below: float, see `Confidence`.

    Raises:
        ValueError: see `LabelNames` and `Confidence`.

    Example:
    >>> task = Ordinal(["bad", "fair", "good"])
    >>> task.encode(Column(["good", "bad"], "y")).tolist()
    [2, 0]
    >>> task.answers([[3.0, -3.0]])
    ['fair']
    """

    kind = "ordinal"
    measured = ("quadratic_kappa", "mae", "accuracy")
    shapes = "level numbers [batch] and log probabilities [batch, levels]"

    def __init__(
        self, levels: Any, temperature: float = 1.0, abstain_below: float = 0.0
    ) -> None:
        self.names = LabelNames(levels, "levels")
        self.confidence = Confidence(temperature, abstain_below)

    @classmethod
    def from_labels(cls, labels: Any) -> Ordinal:
        """Makes the task of levels that are whole numbers; see `Task.from_labels`.

        Raises:
            ValueError: if they are not: names alone do not tell which is higher.
        """
        column = as_column(labels)
        names = list(named_labels(column))
        for name in names:
            if not name.removeprefix("-").isdecimal():
                raise ValueError(
                    f"{column.name} holds levels that are no whole numbers, such as "
                    f"{name!r}, and so do not tell their order. Pass it, lowest first: "
                    'levels=["low", "medium", "high"].'
                )
        # `named_labels` sorts as numbers only what has ASCII digits, and few.
        return cls(sorted(names, key=int))

    @property
    def num_outputs(self) -> int:
        """Number of levels but one."""
        return len(self.names) - 1

    @property
    def label_names(self) -> list[str]:
        """Names of the levels, lowest first."""
        return list(self.names)

    def encode(self, column: Column) -> np.ndarray:
        """Turns names of levels, or their numbers, into numbers from 0."""
        return self.names.encode(column)

    def graph_encoder(self, spec: Any, argument: str) -> Callable[[Any], tf.Tensor]:
        """Makes the function that encodes batches; see `Task.graph_encoder`."""
        return self.names.graph_encoder(spec, argument)

    def strata(self, targets: np.ndarray) -> np.ndarray:
        """Returns the levels; of soft labels, the most probable."""
        return most_probable(targets)

    def class_weights(
        self, class_weight: Any, targets: np.ndarray | None
    ) -> np.ndarray:
        """Returns the weight of each level; see `class_weights`."""
        return class_weights(class_weight, self.names, targets)

    def loss(self, loss: Any) -> Any:
        """Makes the loss; "auto" is the negative log likelihood of the level.

        Losses of classes take the log probabilities of the levels for logits, whose
        softmax is the levels' probabilities.
        """
        auto = isinstance(loss, str) and loss == "auto"
        made = task_loss("crossentropy" if auto else loss, len(self.names))
        if isinstance(made, keras.losses.Loss):
            return TaskLoss(made, _on_levels)
        return _on_log_probabilities(made)

    def metric(self, metric: Any) -> Any:
        """Makes a metric; "accuracy" and "mae" are those of the median level.

        Metrics of classes take the log probabilities of the levels for logits.
        """
        if isinstance(metric, str) and metric in _OF_LEVELS:
            metric = _OF_LEVELS[metric]()
        made = task_metric(metric, len(self.names))
        if isinstance(made, keras.metrics.Metric):
            return TaskMetric(made, _on_levels, made.name)
        return _on_log_probabilities(made)

    def default_metrics(self) -> list[Any]:
        """Returns accuracy, mean absolute error in levels, and quadratic kappa."""
        return [LevelAccuracy(), LevelError(), QuadraticKappa(len(self.names))]

    def tuned_on(self, targets: np.ndarray, outputs: np.ndarray) -> Ordinal:
        """Fits the temperature; see `Task.tuned_on` and `fitted_temperature`."""
        found = fitted_temperature(self.mean_loss, targets, outputs)
        return self.changed(temperature=found)

    def served(self, outputs: Any) -> dict[str, tf.Tensor]:
        """Returns `label`, `label_id` and `probabilities`; see `Confidence.served`."""
        logs = self._log_probabilities(tf.cast(outputs, tf.float32))
        label_id = tf.cast(median_levels(logs), tf.int32)
        return self.confidence.served(self.label_names, label_id, tf.exp(logs))

    def answers(self, outputs: Any) -> list[str | None]:
        """Returns the names of the median levels; see `Confidence.answers`."""
        return self.confidence.answers(
            self.label_names, self._levels(outputs), lambda: self.probabilities(outputs)
        )

    def probabilities(self, outputs: Any, dtype: str = "float32") -> np.ndarray:
        """Returns `[texts, levels]`, each row with sum 1."""
        return np.exp(self._log_probabilities(tf.cast(outputs, dtype)).numpy())

    @property
    def answer_columns(self) -> list[str]:
        """The level, and the probability of each."""
        return ["label", *self.names]

    def answer_rows(self, outputs: Any) -> list[dict[str, Any]]:
        """Returns a dict of `label` and `probabilities` by name for each text."""
        return [
            {"label": label, "probabilities": by_name(self.names, row)}
            for label, row in zip(
                self.answers(outputs), self.probabilities(outputs), strict=True
            )
        ]

    def report(self, targets: np.ndarray, outputs: Any) -> Any:
        """Returns an `OrdinalReport`: distance from the truth, and F1 of each level."""
        from siatl_keras.evaluation import evaluate_levels

        # What is not finite is no answer, which the report must hear of.
        finite = np.isfinite(np.asarray(outputs)).all(-1)
        levels = np.where(finite, self._levels(outputs), np.nan)
        levels = levels.astype(int) if finite.all() else levels
        probabilities = self.probabilities(outputs, "float64")
        return evaluate_levels(targets, levels, self.label_names, probabilities)

    def predictions(self, targets: np.ndarray, outputs: Any) -> Any:
        """Returns the levels, and the probabilities in float64."""
        from siatl_keras.evaluation import Predictions

        scores = self.probabilities(outputs, "float64")
        levels = self._levels(outputs)
        return Predictions(targets, levels, scores, tuple(self.names))

    def linear_model(self, strength: float, class_weight: str | None = None) -> Any:
        """Returns logistic regression, which does not know of the order."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=strength, max_iter=2000, class_weight=class_weight)

    def linear_start(
        self, features: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Returns a regression of each of the chain's questions."""
        levels = np.arange(self.num_outputs)
        targets = most_probable(targets)
        reached = targets[:, None] >= levels
        return yes_or_no_start(features, targets[:, None] > levels, reached)

    def linear_outputs(self, estimator: Any, features: Any) -> np.ndarray:
        """Returns the logits that have the regression's probabilities."""
        probabilities = np.full((count_rows(features), len(self.names)), 1e-12)
        found = estimator.predict_proba(features)
        probabilities[:, estimator.classes_] = np.maximum(found, 1e-12)
        beyond = np.cumsum(probabilities[:, ::-1], 1)[:, ::-1][:, 1:]
        return np.log(beyond) - np.log(probabilities[:, :-1])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"levels": self.label_names, **self.confidence.to_dict()}

    def _levels(self, outputs: Any) -> np.ndarray:
        logs = self._log_probabilities(tf.cast(outputs, tf.float32))
        return median_levels(logs).numpy().astype(int)

    def _log_probabilities(self, outputs: tf.Tensor) -> tf.Tensor:
        return level_log_probabilities(self.confidence.scaled(outputs))


_OF_LEVELS: dict[str, Callable[[], Any]] = {
    "accuracy": LevelAccuracy,
    "acc": LevelAccuracy,
    "mae": LevelError,
    "mean_absolute_error": LevelError,
}


def _on_levels(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    return y_true, level_log_probabilities(ops.cast(y_pred, "float32"))


def _on_log_probabilities(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(y_true: Any, y_pred: Any, *weights: Any) -> Any:
        return function(*_on_levels(y_true, y_pred), *weights)

    return wrapped
