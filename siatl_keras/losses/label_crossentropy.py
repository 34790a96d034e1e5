"""`LabelCrossentropy`: the loss of texts that may have several labels."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class LabelCrossentropy(keras.losses.Loss):
    """The sum over labels of the binary cross-entropy with logits.

    A sum, as the likelihood of a text's labels has it: a mean would let the task loss
    shrink beside γ times the LM loss as labels become more.

    Call arguments:
        y_true: 0 or 1, `[batch, labels]`.
        y_pred: float `[batch, labels]`, logits.
        sample_weight: float `[batch]`, or `None`.
    """

    def __init__(self, name: str = "label_crossentropy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns the losses of the texts, `[batch]`."""
        losses = ops.binary_crossentropy(y_true, y_pred, from_logits=True)
        return ops.sum(losses, axis=-1)
