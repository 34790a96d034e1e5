"""`TokenPerplexity`: the exponential of the mean loss of a real token.

KerasHub's `Perplexity` takes logits and masks by token id; this one takes the losses
that the sliced computation gives, and follows the weights.
"""

from __future__ import annotations

from typing import Any

import keras

from siatl_keras.compat.trainer import set_direction


@keras.saving.register_keras_serializable(package="siatl_keras")
class TokenPerplexity(keras.metrics.Mean):
    """Perplexity over all real tokens since the last reset.

    Args:
        name: name of the metric.
        dtype: dtype of its state.

    Example:
    >>> metric = TokenPerplexity()
    >>> metric.update_state([[0.5, 9.0]], sample_weight=[[1.0, 0.0]])
    >>> round(float(metric.result()), 3)
    1.649
    """

    def __init__(self, name: str = "perplexity", dtype: str = "float32") -> None:
        super().__init__(name=name, dtype=dtype)
        set_direction(self, "down")

    def update_state(self, losses: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Args:
            losses: float `[batch, time]`, negative log likelihoods.
            sample_weight: float `[batch, time]`, 1 at real tokens and 0 at padding.
        """
        losses = keras.ops.reshape(losses, (-1,))
        if sample_weight is not None:
            # Flat: Keras weighs rows, by the mean weight of a row's steps, so that a
            # token of a batch with long rows would count less.
            sample_weight = keras.ops.reshape(sample_weight, (-1,))
        super().update_state(losses, sample_weight=sample_weight)

    def result(self) -> Any:
        """Returns the perplexity, a float32 scalar."""
        return keras.ops.exp(super().result())
