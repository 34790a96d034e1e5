"""`TaskObjective` and `LanguageModelObjective`: the parts of the loss.

Source: Chronopoulou et al. 2019, eq. 3: L = L_task + γ · L_LM. A model trains on a list
of objectives; the step asks each for its loss, and knows nothing of what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from siatl_keras.inputs.soft_labels import each_label, is_soft, most_probable
from siatl_keras.metrics import TokenPerplexity
from siatl_keras.models.language_model_head import LanguageModelHead
from siatl_keras.models.replica_share import (
    divisor,
    loss_over_replicas,
    replica_share,
    replicas,
)


class Batch(NamedTuple):
    """A packed batch.

    Attributes:
        x: dict of `token_ids` and `padding_mask`, int32 `[batch, time]`.
        y: dict of the targets by output, "task" and "lm".
        weights: dict of their weights.
    """

    x: dict[str, Any]
    y: dict[str, Any]
    weights: dict[str, Any]


class TaskObjective:
    """The loss of the task, and its metrics.

    Args:
        outputs: function of states, inputs and `training`, that returns the task's
            outputs `[batch, outputs]`.
        loss: a `keras.losses.Loss` of targets and outputs.
        weight: float, of the loss.
        metrics: metrics of targets and outputs.
        weighted_metrics: likewise, weighted by the texts' weights.
        one_label: whether a text has one label, so that targets may be soft.
    """

    def __init__(
        self,
        outputs: Callable[[Any, Any, bool], Any],
        loss: keras.losses.Loss,
        weight: float,
        metrics: Iterable[keras.metrics.Metric],
        weighted_metrics: Iterable[keras.metrics.Metric],
        one_label: bool,
    ) -> None:
        self.weight = weight
        self._one_label = one_label
        self._outputs = outputs
        self._loss = loss
        self._mean = keras.metrics.Mean(name="task_loss")
        self._metrics, self._weighted_metrics = tuple(metrics), tuple(weighted_metrics)

    def can_teach(self) -> bool:
        """Whether training on it can change a weight at present: always."""
        return True

    def compute(
        self, states: Any, batch: Batch, training: bool
    ) -> tuple[tf.Tensor, Any]:
        """Computes the loss.

        Args:
            states: float `[batch, time, embedding]`, the language model's.
            batch: the batch.
            training: bool, whether dropout is on.

        Returns:
            `(this replica's part of the batch's loss; the outputs)`.
        """
        outputs = self._outputs(states, batch.x, training)
        arrays: Any = (batch.y["task"], outputs, batch.weights["task"])
        if self._is_soft(batch):
            arrays = each_label(self._loss, *arrays)
        loss = loss_over_replicas(self._loss, *arrays)
        return tf.cast(loss, "float32"), outputs

    def share(self, part: Batch, whole: Batch) -> Any:
        """Returns what a part's loss counts in the whole batch's, a scalar."""
        amounts = [
            divisor(self._loss, batch.y["task"], batch.weights["task"])
            for batch in (part, whole)
        ]
        return 1.0 if None in amounts else _ratio(*amounts)

    def measure(
        self, loss: Any, outputs: Any, batch: Batch, texts: Any, training: bool
    ) -> None:
        """Adds a batch to the metrics, `texts` its weight in the mean loss."""
        self._mean.update_state(loss * replicas(), sample_weight=texts)
        y, weights = batch.y["task"], batch.weights["task"]
        if self._is_soft(batch):
            y = most_probable(y)
        for metric in self._metrics:
            metric.update_state(y, outputs)
        for metric in self._weighted_metrics:
            metric.update_state(y, outputs, sample_weight=weights)

    def metrics(self, training: bool) -> dict[str, keras.metrics.Metric]:
        """Returns by name what is measured."""
        named: dict[str, keras.metrics.Metric] = {self._mean.name: self._mean}
        for metric in self._metrics:
            _add(named, metric.name, metric)
        for metric in self._weighted_metrics:
            name = metric.name
            _add(named, f"weighted_{name}" if name in named else name, metric)
        return named

    def _is_soft(self, batch: Batch) -> bool:
        return self._one_label and is_soft(batch.y["task"])


class LanguageModelObjective:
    """The mean loss of the real tokens, and their perplexity.

    Args:
        head: the language model's.
        weight: float, or γ, a `keras.Variable`.
        can_teach: function that tells whether training on it can change a weight at
            present.
        has_mean: bool, whether the logs have `lm_loss`; it would be the same as `loss`
            where the objective is the only one.
    """

    def __init__(
        self,
        head: LanguageModelHead,
        weight: Any,
        can_teach: Callable[[], bool],
        has_mean: bool = True,
    ) -> None:
        self.weight = weight
        self.can_teach = can_teach
        self._head = head
        self._mean = keras.metrics.Mean(name="lm_loss") if has_mean else None
        self._perplexity = TokenPerplexity()

    def compute(
        self, states: Any, batch: Batch, training: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the loss; see `TaskObjective`. Returns it, and each token's."""
        y, weights = batch.y["lm"], batch.weights["lm"]
        loss, losses = self._head.loss(states, y, weights, training)
        # The replicas' sum is the mean over the real tokens of all of them.
        share = replica_share(tf.reduce_sum(weights)) / replicas()
        return loss * share, losses

    def share(self, part: Batch, whole: Batch) -> Any:
        """Returns what a part's loss counts in the whole batch's, a scalar."""
        tokens = [tf.reduce_sum(batch.weights["lm"]) for batch in (part, whole)]
        return _ratio(*tokens)

    def measure(
        self, loss: Any, losses: Any, batch: Batch, texts: Any, training: bool
    ) -> None:
        """Adds a batch to the metrics; see `TaskObjective`."""
        if self._mean is not None:
            self._mean.update_state(loss * replicas(), sample_weight=texts)
        if self._head.is_exact(training):
            self._perplexity.update_state(losses, sample_weight=batch.weights["lm"])

    def metrics(self, training: bool) -> dict[str, keras.metrics.Metric]:
        """Returns by name what is measured: no perplexity of a sample.

        It would look too good.
        """
        means = [] if self._mean is None else [self._mean]
        exact = [self._perplexity] if self._head.is_exact(training) else []
        return {metric.name: metric for metric in [*means, *exact]}


def _ratio(part: Any, whole: Any) -> tf.Tensor:
    return tf.math.divide_no_nan(tf.cast(part, "float32"), tf.cast(whole, "float32"))


def _add(named: dict[str, Any], name: str, metric: Any) -> None:
    """Adds a metric under a name of its own, as Keras does."""
    number = 1
    unique = name
    while unique in named:
        unique, number = f"{name}_{number}", number + 1
    named[unique] = metric
