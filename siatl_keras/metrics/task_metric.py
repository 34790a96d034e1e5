"""`task_metric`: any metric of Keras, made to take class numbers and task logits.

Keras's metrics want class numbers, one-hot rows or the positive class alone, beside
probabilities: given class numbers and logits many fail, and some compute something
else.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras

from siatl_keras.compat.trainer import set_direction
from siatl_keras.losses.task_loss import refuse_probabilities
from siatl_keras.losses.task_scores import TaskScores

_NUMBERS = TaskScores("numbers", "logits")
_BEST_CLASS = TaskScores("numbers", "class")
_PROBABILITIES = TaskScores("one-hot", "probabilities")
_POSITIVE = TaskScores("positive", "probabilities")
_MARGIN = TaskScores("positive", "log-odds")
_FORMS = {
    keras.metrics.Accuracy: _BEST_CLASS,
    keras.metrics.SparseCategoricalAccuracy: _NUMBERS,
    keras.metrics.SparseTopKCategoricalAccuracy: _NUMBERS,
    keras.metrics.SparseCategoricalCrossentropy: TaskScores("numbers", "probabilities"),
    keras.metrics.CategoricalHinge: TaskScores("one-hot", "logits"),
    keras.metrics.Hinge: _MARGIN,
    keras.metrics.SquaredHinge: _MARGIN,
    keras.metrics.AUC: _POSITIVE,
    keras.metrics.Precision: _POSITIVE,
    keras.metrics.Recall: _POSITIVE,
    keras.metrics.TruePositives: _POSITIVE,
    keras.metrics.TrueNegatives: _POSITIVE,
    keras.metrics.FalsePositives: _POSITIVE,
    keras.metrics.FalseNegatives: _POSITIVE,
    keras.metrics.PrecisionAtRecall: _POSITIVE,
    keras.metrics.RecallAtPrecision: _POSITIVE,
    keras.metrics.SensitivityAtSpecificity: _POSITIVE,
    keras.metrics.SpecificityAtSensitivity: _POSITIVE,
    keras.metrics.BinaryAccuracy: _POSITIVE,
    keras.metrics.BinaryCrossentropy: _POSITIVE,
    keras.metrics.BinaryIoU: _POSITIVE,
}
# Arguments with which a metric of two classes asks for a column of each.
_BY_CLASS = ("class_id", "top_k", "multi_label", "num_labels", "label_weights")
# What takes any values, or a function of one's own.
_PLAIN = (keras.metrics.Mean, keras.metrics.Sum, keras.metrics.MeanMetricWrapper)


class TaskMetric(keras.metrics.Metric):
    """A metric of Keras on the targets and scores that it takes.

    Args:
        metric: the metric.
        shape: makes of a model's targets and outputs the two that `metric` takes.
        name: name of the metric.
    """

    def __init__(
        self,
        metric: keras.metrics.Metric,
        shape: Callable[[Any, Any], tuple[Any, Any]],
        name: str,
    ) -> None:
        super().__init__(name=name, dtype=metric.dtype)
        set_direction(self, metric)
        self.metric = metric
        self.shape = shape

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Args:
            y_true: the targets.
            y_pred: the outputs.
            sample_weight: float `[batch]`, or `None`.
        """
        targets, scores = self.shape(y_true, y_pred)
        self.metric.update_state(targets, scores, sample_weight=sample_weight)

    def result(self) -> Any:
        """Returns the metric's result."""
        return self.metric.result()

    def reset_state(self) -> None:
        """Starts over, for the next epoch."""
        self.metric.reset_state()


def task_metric(metric: Any, num_classes: int) -> Any:
    """Makes a metric of the task from what `compile` takes.

    With two classes, metrics of a positive class (`AUC`, `Recall`, `BinaryAccuracy`, …)
    are those of the second; with more, of each class against the others, as Keras
    defines them for one-hot targets. Probabilities are the softmax of the logits.

    Args:
        metric: name, function, class or object of a metric of Keras; or a function or
            `keras.metrics.Metric` of one's own, which gets class numbers and logits.
        num_classes: int, classes of the model.

    Returns:
        a metric or function of class numbers `[batch]` and logits `[batch, classes]`: a
        `TaskMetric`, or `metric` itself if it is not Keras's.

    Raises:
        ValueError: if it is no metric.

    Example:
    >>> metric = task_metric("auc", num_classes=2)
    >>> metric.update_state([0, 1], [[2.0, 1.0], [0.0, 3.0]])
    >>> float(metric.result())
    1.0
    """
    accuracy = keras.metrics.SparseCategoricalAccuracy
    metric, name = keras_metric(metric, accuracy, "class numbers and logits")
    if name is None:
        return metric
    shape = functools.partial(_form_of(metric).shape, num_classes=num_classes)
    return TaskMetric(metric, shape, name)


def keras_metric(
    metric: Any, accuracy: Callable[[], Any], takes: str
) -> tuple[Any, str | None]:
    """Resolves what `compile` takes for a metric.

    Args:
        metric: name, function, class, object or configuration.
        accuracy: makes what "accuracy" stands for.
        takes: what a metric of one's own takes, for messages.

    Returns:
        the metric, and its name; `None` for the name if it is one's own.

    Raises:
        ValueError: if it is no metric, or says that it takes probabilities.
    """
    received = metric
    name = metric if isinstance(metric, str) else None
    own_name = getattr(metric, "__name__", None)
    if name in ("accuracy", "acc"):
        metric = accuracy()
    elif own_name and getattr(keras.metrics, own_name, None) is metric:
        # A function of Keras stands for the class of its name.
        name = None if isinstance(metric, type) else own_name
        metric = own_name
    try:
        metric = keras.metrics.get(metric)
    except (TypeError, ValueError) as error:
        raise _no_metric(received, takes) from error
    if metric is None:
        raise _no_metric(received, takes)
    if not _is_of_keras(metric):
        refuse_probabilities("metrics", metric)
        return metric, None
    return metric, name or metric.name


def _form_of(metric: keras.metrics.Metric) -> TaskScores:
    form = next((_FORMS[k] for k in type(metric).__mro__ if k in _FORMS), None)
    if form is None and getattr(metric, "sparse_y_true", False):  # IoU
        form = _BEST_CLASS if metric.sparse_y_pred else _NUMBERS
    form = form or _PROBABILITIES
    config = metric.get_config()
    if form is _POSITIVE and any(config.get(name) for name in _BY_CLASS):
        form = _PROBABILITIES
    if config.get("class_id") is not None:
        form = _PROBABILITIES
    if config.get("from_logits"):
        # Of the positive class it takes a sigmoid, of others the softmax.
        binary = isinstance(
            metric, (keras.metrics.AUC, keras.metrics.BinaryCrossentropy)
        )
        form = TaskScores(form.targets, "log-odds" if binary else "logits")
    return form


def _is_of_keras(metric: Any) -> bool:
    """Tells whether Keras's own code takes the batches."""
    if not isinstance(metric, keras.metrics.Metric) or type(metric) in _PLAIN:
        return False
    return type(metric).update_state.__module__.startswith("keras.")


def _no_metric(metric: Any, takes: str) -> ValueError:
    return ValueError(
        "`metrics` must hold metrics of Keras, their names, or functions of "
        f"{takes}. Received: {metric!r}."
    )
