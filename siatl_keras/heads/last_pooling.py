"""`LastPooling`: the state after the last token stands for the text."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from siatl_keras.heads.last_real_step import last_real_step


@keras.saving.register_keras_serializable(package="siatl_keras")
class LastPooling(keras.layers.Layer):
    """Takes the state at the last real step.

    Args:
        forward_units: int, units of the direction that reads forwards, if another
            follows that reads backwards: of that one the state at the first step is
            taken, which has seen the whole text. `None` for one direction.
        **kwargs: see `keras.layers.Layer`.

    Call arguments:
        states: `[batch, time, units]`.
        padding_mask: int or bool `[batch, time]`, true at real tokens, padding on
            either side. A row without a real token is pooled to zeros.

    Returns:
        `(pooled [batch, units], weights [batch, time])`; the weights are 1 at the last
        real step.
    """

    has_weights = True

    def __init__(self, forward_units: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.forward_units = forward_units
        self.supports_masking = True  # `padding_mask` is the mask

    def call(self, states: Any, padding_mask: Any) -> tuple[Any, Any]:
        """Pools; see the class."""
        at_last = last_real_step(padding_mask)  # [batch, time]
        pooled = ops.sum(states * ops.cast(at_last[:, :, None], states.dtype), axis=1)
        if self.forward_units is not None:
            forward = pooled[:, : self.forward_units]
            backward = states[:, 0, self.forward_units :]
            pooled = ops.concatenate([forward, backward], axis=-1)
        return pooled, ops.cast(at_last, "float32")

    def compute_mask(self, states: Any, mask: Any = None) -> None:
        """Ends the mask: there are no steps any more."""

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "forward_units": self.forward_units}
