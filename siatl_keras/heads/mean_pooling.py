"""`MeanPooling`: the mean of all states stands for the text."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="siatl_keras")
class MeanPooling(keras.layers.Layer):
    """Averages the states of all real steps.

    Args:
        **kwargs: see `keras.layers.Layer`.

    Call arguments:
        states: `[batch, time, units]`.
        padding_mask: int or bool `[batch, time]`, true at real tokens. A row without a
            real token is pooled to zeros.

    Returns:
        `(pooled [batch, units], None)`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True  # `padding_mask` is the mask

    def call(self, states: Any, padding_mask: Any) -> tuple[Any, None]:
        """Pools; see the class."""
        # float32: a sum over a long text loses digits in half precision.
        real = ops.cast(padding_mask, "float32")
        shares = real / ops.maximum(ops.sum(real, axis=-1, keepdims=True), 1.0)
        values = ops.cast(states, "float32") * ops.expand_dims(shares, -1)
        return ops.cast(ops.sum(values, axis=1), states.dtype), None

    def compute_mask(self, states: Any, mask: Any = None) -> None:
        """Ends the mask: there are no steps any more."""
