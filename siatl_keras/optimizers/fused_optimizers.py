"""`FusedAdam` and `FusedSGD`: Keras's optimizers in one pass over the weights.

Keras's Adam is a dozen operations, each of which walks over an array of the weight's
size; with a large vocabulary that costs as much as an LSTM (`benchmarks.pretraining`).
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from siatl_keras.compat import optimizer_parts
from siatl_keras.optimizers.scheduled import Schedule, Scheduled, deserialized


@keras.saving.register_keras_serializable(package="siatl_keras")
@optimizer_parts.fused_global_norm
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, same arguments, same result, less memory traffic.

    `beta_1` may also be a schedule, such as `OneCycleMomentum`. The first moment is
    then divided by 1 - beta_1 ** step with the beta_1 of the step, as in fastai; the
    exact divisor, with the product of all values so far, differs in the first steps
    alone.

    A sparse gradient is made dense first: both moments of every row decay anyway.
    `amsgrad` runs Keras's own step.

    Example:
    >>> optimizer = FusedAdam(1e-3, global_clipnorm=1.0)
    >>> weight = keras.Variable([1.0, 2.0])
    >>> optimizer.apply([keras.ops.ones(2)], [weight])
    >>> [round(float(value), 3) for value in weight.numpy()]
    [0.999, 1.999]
    """

    beta_1 = Scheduled()

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one weight and its two moments."""
        if isinstance(gradient, tf.IndexedSlices):
            gradient = tf.math.unsorted_segment_sum(
                gradient.values, gradient.indices, variable.shape[0]
            )
        if self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        beta_1 = tf.cast(self.beta_1, dtype)
        momentum, velocity = optimizer_parts.adam_moments(self, variable)
        tf.raw_ops.ResourceApplyAdam(
            var=optimizer_parts.resource(variable),
            m=optimizer_parts.resource(momentum),
            v=optimizer_parts.resource(velocity),
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(tf.cast(self.beta_2, dtype), step),
            lr=tf.cast(learning_rate, dtype),
            beta1=beta_1,
            beta2=tf.cast(self.beta_2, dtype),
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        beta_1 = type(self).beta_1.serialized(self)
        return {**super().get_config(), "beta_1": beta_1}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> FusedAdam:
        """Makes an optimizer, without its state, from `get_config`'s result."""
        return super().from_config(deserialized(config, "beta_1"), custom_objects)


@keras.saving.register_keras_serializable(package="siatl_keras")
@optimizer_parts.fused_global_norm
class FusedSGD(keras.optimizers.SGD):
    """`keras.optimizers.SGD`, same arguments, same result, less memory traffic.

    `momentum` may also be a schedule, such as `OneCycleMomentum`. Without momentum a
    sparse gradient changes the rows that it names, and no others.

    Example:
    >>> optimizer = FusedSGD(0.5)
    >>> weight = keras.Variable([1.0, 2.0])
    >>> optimizer.apply([keras.ops.ones(2)], [weight])
    >>> weight.numpy().tolist()
    [0.5, 1.5]
    """

    momentum = Scheduled()

    def __init__(
        self, learning_rate: Any = 0.01, momentum: Any = 0.0, **kwargs: Any
    ) -> None:
        # Keras's constructor wants a float.
        scheduled = isinstance(momentum, Schedule)
        super().__init__(learning_rate, 0.0 if scheduled else momentum, **kwargs)
        self.momentum = momentum

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one weight, and its momentum where there is one."""
        rate = tf.cast(learning_rate, variable.dtype)
        if self.momentums:
            # The moment of every row decays, whatever rows have a gradient.
            gradient = tf.convert_to_tensor(gradient)
            moment = optimizer_parts.sgd_moment(self, variable)
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=optimizer_parts.resource(variable),
                accum=optimizer_parts.resource(moment),
                lr=rate,
                grad=tf.cast(gradient, variable.dtype),
                momentum=tf.cast(self.momentum, variable.dtype),
                use_nesterov=self.nesterov,
            )
        elif isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
        else:
            tf.raw_ops.ResourceApplyGradientDescent(
                var=optimizer_parts.resource(variable),
                alpha=rate,
                delta=tf.cast(gradient, variable.dtype),
            )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        momentum = type(self).momentum.serialized(self)
        return {**super().get_config(), "momentum": momentum}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> FusedSGD:
        """Makes an optimizer, without its state, from `get_config`'s result."""
        return super().from_config(deserialized(config, "momentum"), custom_objects)
