"""`OutputWeights`: what turns hidden states into logits of words."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf


class OutputWeights(NamedTuple):
    """The weights of a language model's output layer.

    Attributes:
        kernel: `[vocabulary, embedding]`, the (tied) output embedding.
        bias: `[vocabulary]`, or `None`.
        soft_cap: float, logits are `soft_cap * tanh(product / soft_cap) + bias`
            (Gemma); `None` for no cap.
    """

    kernel: tf.Tensor
    bias: tf.Tensor | None = None
    soft_cap: float | None = None
