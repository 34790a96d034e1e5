"""`AttentionPooling`: one vector for a sequence, by self-attention over its steps.

Source: Chronopoulou et al. 2019, section 3 (the attention of the task layers).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from siatl_keras.arguments import check_share


@keras.saving.register_keras_serializable(package="siatl_keras")
class AttentionPooling(keras.layers.Layer):
    """Weights each step by softmax(tanh(w·h + b)) over the real steps and sums them.

    Args:
        dropout: float in [0, 1), dropout on the attention weights' inputs in training.
        seed: optional int.
        **kwargs: see `keras.layers.Layer`.

    Call arguments:
        sequence: `[batch, time, units]`.
        padding_mask: int or bool `[batch, time]`, true at real tokens. A row without a
            real token is pooled uniformly rather than to NaN.
        training: bool.

    Returns:
        `(pooled [batch, units], weights [batch, time])`; the weights of a row sum to 1
        and are 0 at padding.

    Raises:
        ValueError: if `dropout` is not in [0, 1).
    """

    has_weights = True

    def __init__(
        self, dropout: float = 0.0, seed: int | None = None, **kwargs: Any
    ) -> None:
        check_share(dropout=dropout)
        super().__init__(**kwargs)
        self.dropout = dropout
        self.seed = seed
        self.dropout_layer = keras.layers.Dropout(dropout, seed=seed)
        self.supports_masking = True  # `padding_mask` is the mask

    def build(self, sequence_shape: Any, padding_mask_shape: Any = None) -> None:
        """Makes the scorer's weights."""
        self.kernel = self.add_weight(
            shape=(sequence_shape[-1],), initializer="glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight(shape=(), initializer="zeros", name="bias")

    def call(self, sequence: Any, padding_mask: Any, training: bool = False) -> Any:
        """Pools; see the class."""
        scores = ops.tanh(ops.matmul(sequence, self.kernel) + self.bias)
        scores = self.dropout_layer(scores, training=training)
        scores = ops.cast(scores, "float32")  # [batch, time]
        scores = ops.where(ops.cast(padding_mask, "bool"), scores, -1e9)
        weights = ops.softmax(scores, axis=-1)
        pooled = ops.sum(
            sequence * ops.expand_dims(ops.cast(weights, sequence.dtype), -1), axis=1
        )
        return pooled, weights

    def compute_mask(self, sequence: Any, mask: Any = None) -> None:
        """Ends the mask: there are no steps any more."""

    def compute_output_spec(
        self, sequence: Any, padding_mask: Any, training: bool = False
    ) -> Any:
        """Returns the specs of the pooled vector and of the weights."""
        batch, time, units = sequence.shape
        return (
            keras.KerasTensor((batch, units), dtype=self.compute_dtype),
            keras.KerasTensor((batch, time), dtype="float32"),
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "dropout": self.dropout, "seed": self.seed}
