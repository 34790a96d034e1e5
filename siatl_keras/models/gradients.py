"""`gradients_of` and `gradients_of_parts`: a batch's losses, and what they teach."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from siatl_keras.models.gradient_checkpointing import blocks_of
from siatl_keras.models.objectives import Batch
from siatl_keras.models.replica_share import replicas

# Of a transformer's states whose gradients are computed at once, for each block one a
# token: memory then holds about a gigabyte for them.
STATES_AT_ONCE = 2**23


def tokens_at_once(backbone: Any) -> int | None:
    """Returns how many tokens' gradients a step should compute at once.

    Args:
        backbone: a causal language model's.

    Returns:
        int; `None`, which is all of them, of what is no transformer.
    """
    blocks = blocks_of(backbone)
    if not blocks:
        return None
    return STATES_AT_ONCE // (len(blocks) * backbone.token_embedding.output_dim)


class Gradients(NamedTuple):
    """What a batch teaches.

    Attributes:
        values: of each variable that learns; `None` where no loss depends on it.
        loss: scalar, the total loss.
        computed: for each objective its loss, and what it measures.
    """

    values: list[Any]
    loss: tf.Tensor
    computed: list[tuple[tf.Tensor, Any]]


def gradients_of(model: Any, objectives: list[Any], batch: Batch) -> Gradients:
    """Computes a batch's losses and their gradients.

    Args:
        model: see `train_step`.
        objectives: of the step.
        batch: the batch.
    """
    return _gradients(model, objectives, batch, batch)


def gradients_of_parts(model: Any, objectives: list[Any], batch: Batch) -> Gradients:
    """Computes the same in parts, one after the other, and sums them up.

    Memory then holds what one part's gradients need. A part has as many texts as have
    no more than `model.tokens_at_once` tokens, padding included, and one at least.

    Args:
        model: see `train_step`.
        objectives: of the step.
        batch: the batch.
    """
    texts, time = tf.unstack(tf.shape(batch.x["token_ids"]))
    most = tf.maximum(1, model.tokens_at_once // tf.maximum(1, time))
    parts = tf.maximum(1, -(-texts // most))  # One of no texts, if there are none.
    size = -(-texts // parts)  # Of parts that are about as large as each other.
    without: list[bool] = []
    shapes: list[tf.TensorShape] = []

    def add_part(number: Any, sums: Any, loss: Any, losses: Any, measured: Any) -> Any:
        begin = number * size
        part = tf.nest.map_structure(lambda rows: rows[begin : begin + size], batch)
        found = _gradients(model, objectives, part, batch)
        without[:] = [value is None for value in found.values]
        shapes[:] = [predicted.shape for _, predicted in found.computed]
        sums = [
            one if value is None else one + tf.convert_to_tensor(value)
            for one, value in zip(sums, found.values, strict=True)
        ]
        losses = [
            one + other for one, (other, _) in zip(losses, found.computed, strict=True)
        ]
        measured = [
            rows.write(number, predicted)
            for rows, (_, predicted) in zip(measured, found.computed, strict=True)
        ]
        return number + 1, sums, loss + found.loss, losses, measured

    start = (
        0,
        [tf.zeros_like(v.value) for v in model.trainable_variables],
        0.0,
        [0.0 for _ in objectives],
        [
            tf.TensorArray("float32", parts, element_shape=None, infer_shape=False)
            for _ in objectives
        ],
    )
    _, sums, loss, losses, measured = tf.while_loop(
        lambda number, *_: number < parts, add_part, start, parallel_iterations=1
    )
    values = [
        None if is_without else one
        for one, is_without in zip(sums, without, strict=True)
    ]
    computed = [
        (one, tf.ensure_shape(rows.concat(), [None, *shape[1:]]))
        for one, rows, shape in zip(losses, measured, shapes, strict=True)
    ]
    return Gradients(values, loss, computed)


def _gradients(
    model: Any, objectives: list[Any], part: Batch, whole: Batch
) -> Gradients:
    """Computes a part's, by what it counts in the whole batch."""
    values = [variable.value for variable in model.trainable_variables]
    # Watching what learns and nothing else: backpropagation then ends at the lowest
    # layer that learns.
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        computed = compute_losses(model, objectives, part, training=True)
        share: Any = 1.0
        if part is not whole:
            share = tf.math.divide_no_nan(_rows(part), _rows(whole))
            computed = [
                (loss * objective.share(part, whole), predicted)
                for objective, (loss, predicted) in zip(
                    objectives, computed, strict=True
                )
            ]
        loss = total_loss(model, objectives, computed, share)
        scaled = model.optimizer.scale_loss(loss)
    return Gradients(tape.gradient(scaled, values), loss, computed)


def _rows(batch: Batch) -> tf.Tensor:
    return tf.cast(tf.shape(batch.x["token_ids"])[0], "float32")


def compute_losses(
    model: Any, objectives: list[Any], batch: Batch, training: bool
) -> list[tuple[tf.Tensor, Any]]:
    """Computes the states, and each objective's loss of them, see `TaskObjective`.

    Args:
        model: see `train_step`.
        objectives: of the step.
        batch: the batch.
        training: bool, whether dropout is on.
    """
    states = model.states(batch.x, training)  # [batch, time, embedding]
    return [objective.compute(states, batch, training) for objective in objectives]


def total_loss(
    model: Any, objectives: list[Any], computed: Any, share: Any = 1.0
) -> tf.Tensor:
    """Sums losses by weight, and the layers' own.

    Args:
        model: see `train_step`.
        objectives: of the step.
        computed: what `compute_losses` returned.
        share: float, of the layers' own losses.
    """
    losses = [
        keras.ops.multiply(loss, objective.weight)
        for objective, (loss, _) in zip(objectives, computed, strict=True)
    ]
    # Such as a layer's regularizers, the same on all replicas.
    added = [tf.cast(tf.reduce_sum(loss), "float32") for loss in model.losses]
    return tf.add_n([*losses, *(loss * share / replicas() for loss in added)])
