"""`train_step` and `test_step`: one step on a list of objectives.

Shared by the classifier and the language model. The language model's states are
computed once; each objective makes its loss of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from siatl_keras.callbacks.wait_for_data import wait_for_data
from siatl_keras.compat.optimizer_parts import gradients_are_summed, sum_duplicates
from siatl_keras.models.gradients import (
    compute_losses,
    gradients_of,
    gradients_of_parts,
    total_loss,
)
from siatl_keras.models.objectives import Batch
from siatl_keras.models.replica_share import replicas


class JointLoss:
    """What a model is compiled to minimise: the weighted sum of its objectives.

    Under a `tf.distribute` strategy losses, gradients and metrics are those of the
    whole batch, whether or not it divides by the replicas, and however they clip.

    Args:
        *objectives: such as `TaskObjective`, made under the model's strategy.
    """

    def __init__(self, *objectives: Any) -> None:
        self.objectives = objectives
        self.mean = keras.metrics.Mean(name="loss")

    def used(self, training: bool) -> list[Any]:
        """Lists the objectives of a step: in training, those that can teach now."""
        return [o for o in self.objectives if not training or o.can_teach()]

    def metrics(
        self, training: bool = False, objectives: Iterable[Any] | None = None
    ) -> dict[str, keras.metrics.Metric]:
        """Returns by name what a step measures.

        Args:
            training: bool, whether it is a training step.
            objectives: those that it computes; all of them if not given.
        """
        named: dict[str, keras.metrics.Metric] = {self.mean.name: self.mean}
        for objective in self.objectives if objectives is None else objectives:
            named |= objective.metrics(training)
        return named


def train_step(model: Any, batch: Batch) -> dict[str, Any]:
    """Makes one optimizer step on a batch.

    Args:
        model: has `joint_loss`, `states(x, training)`, `tokens_at_once`, and what Keras
            gives it.
        batch: the batch.

    Returns:
        the logs, by name. What is no objective at present is not among them.
    """
    objectives = model.joint_loss.used(training=True)
    in_parts = model.tokens_at_once is not None and _replica_of_several() is None
    pass_back = gradients_of_parts if in_parts else gradients_of
    gradients, loss, computed = pass_back(model, objectives, batch)
    # Without the LM loss the head's bias has no gradient; nothing is amiss then.
    pairs = zip(gradients, model.trainable_variables, strict=True)
    with wait_for_data(batch):
        _apply_gradients(model.optimizer, [p for p in pairs if p[0] is not None])
        return _measure(model, objectives, computed, loss, batch, training=True)


def test_step(model: Any, batch: Batch) -> dict[str, Any]:
    """Evaluates a batch on all objectives; see `train_step`."""
    objectives = model.joint_loss.used(training=False)
    computed = compute_losses(model, objectives, batch, training=False)
    loss = total_loss(model, objectives, computed)
    with wait_for_data(batch):
        return _measure(model, objectives, computed, loss, batch, training=False)


def _measure(
    model: Any,
    objectives: list[Any],
    computed: Any,
    loss: tf.Tensor,
    batch: Batch,
    training: bool,
) -> dict[str, Any]:
    texts = _texts_per_replica(batch.x["token_ids"])
    joint_loss = model.joint_loss
    joint_loss.mean.update_state(loss * replicas(), sample_weight=texts)
    for objective, (part, predicted) in zip(objectives, computed, strict=True):
        objective.measure(part, predicted, batch, texts, training)
    measured = joint_loss.metrics(training, objectives)

    def results(_: Any = None) -> dict[str, Any]:
        found = model.get_metrics_result()
        return {name: found[name] for name in measured}

    replica = _replica_of_several()
    # What one replica has seen says little, and nothing where it got no text.
    return results() if replica is None else replica.merge_call(results)


def _apply_gradients(optimizer: Any, pairs: list[tuple[Any, Any]]) -> None:
    variables = [variable for _, variable in pairs]
    # Keras's optimizers square the slices of a word that comes twice one by one.
    gradients = [sum_duplicates(gradient) for gradient, _ in pairs]
    replica = _replica_of_several()
    if replica is None:
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return
    # Before the optimizer sees them: Keras's clip the gradients of each replica, and
    # loss scaling asks the first replica alone whether they are finite.
    gradients = replica.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
    gradients = [sum_duplicates(gradient) for gradient in gradients]
    with gradients_are_summed(optimizer):
        optimizer.apply_gradients(zip(gradients, variables, strict=True))


def _replica_of_several() -> Any:
    """Returns the replica that the code runs on, `None` where it is the only one."""
    replica = tf.distribute.get_replica_context()
    several = replica is not None and replica.num_replicas_in_sync > 1
    return replica if several else None


def _texts_per_replica(token_ids: Any) -> tf.Tensor:
    """Counts the texts of a batch, which may not divide by the replicas."""
    texts = tf.shape(token_ids)[0]
    replica = _replica_of_several()
    if replica is None:
        return texts
    # The batch's loss is a sum over replicas, and so is its weight.
    return replica.all_reduce(tf.distribute.ReduceOp.MEAN, tf.cast(texts, "float32"))
