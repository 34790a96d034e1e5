"""`SyncedLossScaleOptimizer`: loss scaling whose replicas agree on overflow.

Keras's `LossScaleOptimizer` (3.15.1) asks the first replica only whether its gradients
are finite; an overflow on another one then turns all weights into NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="siatl_keras")
class SyncedLossScaleOptimizer(keras.optimizers.LossScaleOptimizer):
    """Skips a step, and halves the loss scale, if any replica's gradients overflow.

    Takes the arguments of `keras.optimizers.LossScaleOptimizer`, and equals it on one
    device.

    Example:
    >>> optimizer = SyncedLossScaleOptimizer(keras.optimizers.SGD(0.1))
    >>> optimizer.initial_scale
    32768.0
    """

    def check_finite(self, grads: Sequence[Any]) -> Any:
        """Tells whether the gradients of all replicas are finite.

        Args:
            grads: this replica's gradients.

        Returns:
            bool scalar, the same on all replicas.
        """
        finite = super().check_finite(grads)
        replica = tf.distribute.get_replica_context()
        if replica is None or replica.num_replicas_in_sync == 1:
            return finite
        count = replica.all_reduce(tf.distribute.ReduceOp.SUM, tf.cast(finite, "int32"))
        return tf.equal(count, replica.num_replicas_in_sync)
