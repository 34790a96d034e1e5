"""`last_real_step`: where a sequence ends, with padding on either side.

Language models of the LSTM kind pad on the right, some transformers on the left.
"""

from __future__ import annotations

from typing import Any

from keras import ops


def last_real_step(padding_mask: Any) -> Any:
    """Marks each row's last real token.

    Args:
        padding_mask: int or bool `[batch, time]`, true at real tokens.

    Returns:
        bool `[batch, time]`, true at one step of each row; at none in a row of padding.
    """
    real = ops.cast(padding_mask, "int32")
    positions = ops.arange(1, ops.shape(real)[1] + 1)  # From 1: 0 is for padding.
    last = ops.max(positions * real, axis=-1, keepdims=True)
    return ops.logical_and(positions == last, real > 0)
