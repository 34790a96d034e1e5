"""Soft labels: in place of one label of a text, a probability for each.

They come from other models (Hinton et al. 2015, "Distilling the knowledge in a neural
network"), from several annotators, or from one-hot rows. What is learned from them is
the expected loss: the loss of each label, weighted by its probability.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.inputs.column import Column
from siatl_keras.inputs.refusals import refused_unless
from siatl_keras.inputs.rows import columns_of

# How far the sum of a row may be from 1: that of rounded probabilities.
TOLERANCE = 2e-2


def soft_labels(column: Column, names: Any) -> np.ndarray | None:
    """Takes labels for soft ones, if they have the form.

    Args:
        column: labels; soft ones are a numeric array or tensor `[texts, labels]`.
        names: of the labels, in the order of the columns.

    Returns:
        float32 `[texts, labels]`, each row with sum 1; `None` where the form is
        another.

    Raises:
        ValueError: if a row is no distribution; the message names its place.
    """
    values = column.values
    shape: Any = getattr(values, "shape", ())
    if len(shape) != 2 or shape[1] != len(names) or columns_of(values):
        return None
    rows = np.asarray(values)
    if rows.dtype.kind not in "iufb":
        return None
    rows = rows.astype("float64")
    sums = rows.sum(1)
    right = (rows >= 0).all(1) & (np.abs(sums - 1) <= TOLERANCE)
    if not right.all():
        row = int(np.argmin(right))
        raise ValueError(
            f"{column.place(row)}: a row of numbers for the labels must be their "
            f"probabilities, none negative, which add up to 1. Received: "
            f"{rows[row].tolist()!s:.60}, whose sum is {sums[row]:.4g}. For several "
            "labels per text, pass task=MultiLabel(…)."
        )
    return (rows / sums[:, None]).astype("float32")


def soft_label_encoder(
    spec: Any, names: Any, argument: str
) -> Callable[[tf.Tensor], tf.Tensor] | None:
    """Makes the function that does `soft_labels` for a dataset's batches.

    Args:
        spec: what the dataset yields for labels.
        names: of the labels.
        argument: name of the argument, for messages.

    Returns:
        a function of labels to float32 `[batch, labels]`; `None` where they are not of
        that form.
    """
    shape = getattr(spec, "shape", None)
    is_matrix = shape is not None and shape.rank == 2 and shape[1] == len(names)
    if not is_matrix or not (spec.dtype.is_floating or spec.dtype.is_integer):
        return None
    why = (
        f"`{argument}` holds rows of numbers for the labels that are not their "
        "probabilities: some are negative, or do not add up to 1."
    )

    def encode(labels: tf.Tensor) -> tf.Tensor:
        rows = tf.cast(labels, tf.float32)
        sums = tf.reduce_sum(rows, -1, keepdims=True)
        right = tf.reduce_all(rows >= 0)
        right &= tf.reduce_all(tf.abs(sums - 1) <= TOLERANCE)
        return refused_unless(right, [why], rows / sums)

    return encode


def is_soft(targets: Any) -> bool:
    """Says whether targets of one label a text are soft; a column is of numbers.

    Args:
        targets: label numbers `[texts]` or `[texts, 1]`, or soft labels.
    """
    return len(targets.shape) == 2 and targets.shape[1] != 1


def most_probable(targets: Any) -> Any:
    """Returns label numbers: of soft labels, those of the most probable.

    Args:
        targets: label numbers `[texts]`, or soft labels; an array or a tensor.
    """
    if not is_soft(targets):
        return targets
    if isinstance(targets, np.ndarray):
        return targets.argmax(1).astype("int32")
    return tf.argmax(targets, -1, output_type=tf.int32)


def looked_up(table: Any, targets: Any) -> Any:
    """Looks a number up for each text: of soft labels, the expected one.

    Args:
        table: float `[labels]`.
        targets: label numbers `[texts]`, or soft labels; an array or a tensor.

    Returns:
        float `[texts]`.
    """
    if is_soft(targets):
        return keras.ops.sum(targets * table, -1)
    return keras.ops.take(table, targets)


def each_label(
    loss: keras.losses.Loss, targets: Any, outputs: Any, weights: Any = None
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Repeats each text with every label, weighted by the label's probability.

    Args:
        loss: of label numbers and outputs, and of weights.
        targets: soft labels, float `[texts, labels]`.
        outputs: float `[texts, outputs]`.
        weights: float `[texts]`, or `None`.

    Returns:
        label numbers `[texts · labels]`, and the outputs and weights that go with them:
        what `loss` is the expected loss of.
    """
    count = targets.shape[1]
    targets, outputs = tf.convert_to_tensor(targets), tf.convert_to_tensor(outputs)
    numbers = tf.tile(tf.range(count), tf.shape(targets)[:1])
    if weights is not None:
        targets = targets * tf.cast(weights, targets.dtype)[:, None]
    if loss.reduction != "sum":  # A mean over as many rows as texts and labels.
        targets = targets * count
    return numbers, tf.repeat(outputs, count, axis=0), tf.reshape(targets, [-1])
