"""`ConcatPooling`: the last state beside the maximum and the mean over all states.

Source: Howard & Ruder 2018 (ULMFiT), section 3.3, "concat pooling".
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from siatl_keras.heads.last_real_step import last_real_step


@keras.saving.register_keras_serializable(package="siatl_keras")
class ConcatPooling(keras.layers.Layer):
    """Joins the last step, the maximum and the mean over time; padding never counts.

    Args:
        **kwargs: see `keras.layers.Layer`.

    Call arguments:
        sequence: `[batch, time, units]`.
        padding_mask: int or bool `[batch, time]`, true at real tokens, padding on
            either side. A row without a real token is pooled to zeros.

    Returns:
        `(pooled [batch, 3 * units], None)`: last, maximum, mean.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True  # `padding_mask` is the mask

    def call(self, sequence: Any, padding_mask: Any) -> tuple[Any, None]:
        """Pools; see the class."""
        real = ops.expand_dims(ops.cast(padding_mask, "bool"), -1)  # [batch, time, 1]
        # float32: a sum over a long text overflows or loses digits in half precision.
        values = ops.cast(sequence, "float32")
        counts = ops.sum(ops.cast(real, "int32"), axis=1)  # [batch, 1]
        at_last = ops.expand_dims(last_real_step(padding_mask), -1)  # [batch, time, 1]
        last = ops.sum(ops.where(at_last, values, 0.0), axis=1)
        maximum = ops.max(ops.where(real, values, -1e30), axis=1)
        maximum = ops.where(counts > 0, maximum, 0.0)
        total = ops.sum(ops.where(real, values, 0.0), axis=1)
        mean = total / ops.maximum(ops.cast(counts, "float32"), 1.0)
        pooled = ops.concatenate([last, maximum, mean], axis=-1)
        return ops.cast(pooled, self.compute_dtype), None

    def compute_mask(self, sequence: Any, mask: Any = None) -> None:
        """Ends the mask: there are no steps any more."""
