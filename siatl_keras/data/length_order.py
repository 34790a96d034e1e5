"""`length_order`: rows sorted by length, and back.

Batches of rows of similar length hold few padding tokens.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def length_order(lengths: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Sorts rows by length; rows of one length keep their order.

    Args:
        lengths: int `[rows]`.

    Returns:
        `(order, places)`, int32 `[rows]`: `gather(rows, order)` is sorted, and
        `gather(sorted, places)` has the rows' own order again.

    Example:
    >>> order, places = length_order([3, 1, 2])
    >>> order.numpy().tolist(), places.numpy().tolist()
    ([1, 2, 0], [2, 0, 1])
    """
    order = tf.argsort(lengths, stable=True)
    return order, tf.argsort(order)
