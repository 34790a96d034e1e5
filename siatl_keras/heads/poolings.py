"""`POOLINGS`: how the states of a text become one vector, by name.

A pooling is a layer with `call(states, padding_mask)`, and `training` if it needs it,
that returns `(pooled [batch, units], weights [batch, time])`, or `None` in place of
weights that say how much each step counts; its attribute `has_weights` tells which
(none where it lacks the attribute). Adding one is adding a row, and users may pass a
layer of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from siatl_keras.arguments import check_choice
from siatl_keras.heads.attention_pooling import AttentionPooling
from siatl_keras.heads.concat_pooling import ConcatPooling
from siatl_keras.heads.last_pooling import LastPooling
from siatl_keras.heads.mean_pooling import MeanPooling


@dataclass(frozen=True)
class PoolingInput:
    """What a pooling is made for.

    Attributes:
        dropout: float, dropout on scores, for poolings that have any.
        forward_units: int, units that read forwards if others follow that read
            backwards; `None` if there is one direction.
        dtype: dtype policy of the layer.
    """

    dropout: float
    forward_units: int | None
    dtype: Any


POOLINGS: dict[str, Callable[[PoolingInput], keras.layers.Layer]] = {
    "attention": lambda made_for: AttentionPooling(
        made_for.dropout, dtype=made_for.dtype, name="attention"
    ),
    "last": lambda made_for: LastPooling(
        made_for.forward_units, dtype=made_for.dtype, name="last"
    ),
    "mean": lambda made_for: MeanPooling(dtype=made_for.dtype, name="mean"),
    "concat": lambda made_for: ConcatPooling(dtype=made_for.dtype, name="concat"),
}


def make_pooling(pooling: Any, made_for: PoolingInput) -> keras.layers.Layer:
    """Makes a pooling.

    Args:
        pooling: a key of `POOLINGS`; a layer, which is returned; or a layer as
            `keras.saving.serialize_keras_object` writes it.
        made_for: what it is made for, if it is named.

    Raises:
        ValueError: if it is something else.
    """
    if isinstance(pooling, dict):
        pooling = keras.saving.deserialize_keras_object(pooling)
    if isinstance(pooling, keras.layers.Layer):
        return pooling
    check_choice(POOLINGS, pooling=pooling)
    return POOLINGS[pooling](made_for)
