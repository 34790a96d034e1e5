"""`replica_share`: how much of a batch a replica has; and a loss weighed by it.

Keras averages the replicas' means, which is the mean over the batch only where it
divides by the number of replicas: a batch of 25 texts leaves one replica less to learn
from, and the last batch of an epoch may leave it nothing.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def replica_share(amount: Any) -> Any:
    """Returns this replica's share of an amount, relative to an equal share.

    Args:
        amount: scalar tensor, such as the replica's number of texts.

    Returns:
        float32 scalar, whose mean over replicas is 1 (0 where none has anything); the
        number 1.0 on one device.
    """
    replica = tf.distribute.get_replica_context()
    if replica is None or replica.num_replicas_in_sync == 1:
        return 1.0
    amount = tf.cast(amount, "float32")
    whole = replica.all_reduce(tf.distribute.ReduceOp.SUM, amount)
    return tf.math.divide_no_nan(amount * replica.num_replicas_in_sync, whole)


def replicas() -> int:
    """Returns how many replicas train together, 1 on one device."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def loss_over_replicas(
    loss: keras.losses.Loss, y_true: Any, y_pred: Any, sample_weight: Any = None
) -> Any:
    """Computes this replica's part of a loss: the replicas' sum is the whole batch's.

    Args:
        loss: a `keras.losses.Loss` that is a mean over texts, weighted or not, or a
            sum. A loss of another kind, such as a ratio of two sums, is taken for a
            mean over texts.
        y_true: `[batch, …]`.
        y_pred: `[batch, …]`.
        sample_weight: `[batch]`, or `None`.

    Returns:
        scalar.
    """
    value = loss(y_true, y_pred, sample_weight)
    amount = divisor(loss, y_pred, sample_weight)
    if replicas() == 1 or amount is None:
        return value  # Keras divides nothing by the number of replicas then.
    return value * tf.cast(replica_share(amount), value.dtype)


def divisor(loss: keras.losses.Loss, y: Any, sample_weight: Any = None) -> Any:
    """Returns what a loss divides by: the weights or the number of its texts.

    Args:
        loss: as for `loss_over_replicas`.
        y: `[batch, …]`, targets or predictions.
        sample_weight: `[batch]`, or `None`.

    Returns:
        scalar tensor; `None` if the loss is a sum.
    """
    if loss.reduction in ("sum", "none", None):
        return None
    if loss.reduction == "mean_with_sample_weight" and sample_weight is not None:
        return tf.reduce_sum(sample_weight)
    return tf.shape(y)[0]
