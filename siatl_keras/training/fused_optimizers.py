"""`FusedAdam` and `FusedSGD`: Keras's optimizers with one pass over the weights a step.

Keras's Adam is a dozen operations, each of which walks over an array of the weight's
size; with a large vocabulary that costs as much as an LSTM (`benchmarks.pretraining`).
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from siatl_keras import _keras_internals


@keras.saving.register_keras_serializable(package="siatl_keras")
class FusedAdam(_keras_internals.FusedGlobalNorm, keras.optimizers.Adam):
    """`keras.optimizers.Adam`, same arguments, same result, less memory traffic.

    A sparse gradient, or `amsgrad`, runs Keras's own step.

    Example:
    >>> optimizer = FusedAdam(1e-3, global_clipnorm=1.0)
    >>> weight = keras.Variable([1.0, 2.0])
    >>> optimizer.apply([keras.ops.ones(2)], [weight])
    >>> [round(float(value), 3) for value in weight.numpy()]
    [0.999, 1.999]
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one weight and its two moments."""
        if isinstance(gradient, tf.IndexedSlices) or self.amsgrad:
            gradient = _keras_internals.sum_duplicates(gradient)
            super().update_step(gradient, variable, learning_rate)
            return
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        momentum, velocity = _keras_internals.adam_moments(self, variable)
        tf.raw_ops.ResourceApplyAdam(
            var=_keras_internals.resource(variable),
            m=_keras_internals.resource(momentum),
            v=_keras_internals.resource(velocity),
            beta1_power=tf.pow(tf.cast(self.beta_1, dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, dtype), step),
            lr=tf.cast(learning_rate, dtype),
            beta1=tf.cast(self.beta_1, dtype),
            beta2=tf.cast(self.beta_2, dtype),
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )


@keras.saving.register_keras_serializable(package="siatl_keras")
class FusedSGD(_keras_internals.FusedGlobalNorm, keras.optimizers.SGD):
    """`keras.optimizers.SGD`, same arguments, same result, less memory traffic.

    A sparse gradient changes the rows that it names, and no others. `momentum` runs
    Keras's own step.

    Example:
    >>> optimizer = FusedSGD(0.5)
    >>> weight = keras.Variable([1.0, 2.0])
    >>> optimizer.apply([keras.ops.ones(2)], [weight])
    >>> weight.numpy().tolist()
    [0.5, 1.5]
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one weight."""
        if isinstance(gradient, tf.IndexedSlices) or self.momentum:
            super().update_step(gradient, variable, learning_rate)
            return
        tf.raw_ops.ResourceApplyGradientDescent(
            var=_keras_internals.resource(variable),
            alpha=tf.cast(learning_rate, variable.dtype),
            delta=tf.cast(gradient, variable.dtype),
        )
