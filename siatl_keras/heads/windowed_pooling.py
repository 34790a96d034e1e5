"""`WindowedPooling`: pools each window of a long text, and then the windows."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.arguments import check_whole
from siatl_keras.compat import layer_parts


@keras.saving.register_keras_serializable(package="siatl_keras")
class WindowedPooling(keras.layers.Layer):
    """The mean, over the windows of a text, of what a pooling makes of each.

    Of windows that overlap each takes the steps that are its own. A text of one window
    is pooled as without.

    Args:
        pooling: a pooling, see `siatl_keras.heads.poolings`.
        length: int, steps of the first window.
        step: int, own steps of all others.
        **kwargs: see `keras.layers.Layer`.

    Call arguments:
        states: `[batch, time, units]`.
        padding_mask: int or bool `[batch, time]`, padding on the right.
        training: bool.

    Returns:
        `(pooled [batch, features], weights [batch, time])`, or `None` for the weights
        if the pooling has none; they sum to 1.
    """

    def __init__(
        self, pooling: keras.layers.Layer, length: int, step: int, **kwargs: Any
    ) -> None:
        check_whole(1, length=length, step=step)
        super().__init__(**kwargs)
        self.pooling = pooling
        self.length = length
        self.step = step
        self.supports_masking = True  # `padding_mask` is the mask

    @property
    def has_weights(self) -> bool:
        """Whether the pooling weighs the steps."""
        return getattr(self.pooling, "has_weights", False)

    def call(self, states: Any, padding_mask: Any) -> tuple[Any, Any]:
        """Pools; see the class."""
        mask = tf.cast(padding_mask, tf.int32)
        units, batch = states.shape[-1], tf.shape(states)[0]
        pooled, weights = self.pooling(states[:, : self.length], mask[:, : self.length])
        later = tf.maximum(0, tf.shape(mask)[1] - self.length)
        # At least one, of padding if need be: a pooling may not take an empty batch.
        count = tf.maximum(1, -(-later // self.step))
        missing = count * self.step - later
        rest = tf.pad(states[:, self.length :], [[0, 0], [0, missing], [0, 0]])
        rest_mask = tf.pad(mask[:, self.length :], [[0, 0], [0, missing]])
        rest_mask = tf.reshape(rest_mask, [-1, self.step])
        of_rest, rest_weights = self.pooling(
            tf.reshape(rest, [-1, self.step, units]), rest_mask
        )
        is_real = tf.reduce_max(rest_mask, -1) > 0  # [batch * windows]
        of_rest = tf.where(is_real[:, None], of_rest, tf.zeros_like(of_rest))
        is_real = tf.reshape(tf.cast(is_real, tf.float32), [batch, count])
        share = 1.0 / (1.0 + tf.reduce_sum(is_real, -1))  # [batch]
        of_rest = tf.reshape(of_rest, [batch, count, pooled.shape[-1]])
        pooled = pooled + tf.reduce_sum(of_rest, 1)
        pooled = pooled * tf.cast(share[:, None], pooled.dtype)
        if weights is None:
            return pooled, None
        rest_weights = tf.reshape(rest_weights, [batch, count, self.step])
        rest_weights = rest_weights * (share[:, None] * is_real)[:, :, None]
        rest_weights = tf.reshape(rest_weights, [batch, count * self.step])
        weights = tf.concat([weights * share[:, None], rest_weights], 1)
        return pooled, weights[:, : tf.shape(mask)[1]]

    def build(self, states_shape: Any, padding_mask_shape: Any = None) -> None:
        """Makes the pooling's weights."""
        layer_parts.symbolic_call(
            self.pooling,
            np.zeros((1, 2, states_shape[-1]), "float32"),
            np.ones((1, 2), "int32"),
        )

    def compute_output_spec(
        self, states: Any, padding_mask: Any, training: bool = False
    ) -> Any:
        """Returns the specs of the pooled vector and of the weights."""
        return self.pooling.compute_output_spec(states, padding_mask)

    def compute_mask(self, states: Any, mask: Any = None) -> None:
        """Ends the mask: there are no steps any more."""

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "pooling": keras.saving.serialize_keras_object(self.pooling),
            "length": self.length,
            "step": self.step,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> WindowedPooling:
        """Makes the layer again."""
        pooling = keras.saving.deserialize_keras_object(config["pooling"])
        return cls(**{**config, "pooling": pooling})
