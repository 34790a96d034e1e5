"""`LanguageModelingLoss`: the auxiliary loss, a mean over real tokens.

Source: Chronopoulou et al. 2019, eq. 1 and 3.
"""

from __future__ import annotations

from typing import Any

import keras

from siatl_keras.training.replica_share import replica_share


@keras.saving.register_keras_serializable(package="siatl_keras")
class LanguageModelingLoss(keras.losses.Loss):
    """Cross-entropy of the next token, averaged over tokens of weight 1, in float32.

    Under a strategy each replica's loss is scaled so that their sum is the mean over
    the real tokens of all replicas: two replicas with texts of different lengths equal
    one device. A batch without a real token has loss 0.

    Args:
        name: name of the loss.

    Call arguments:
        y_true: int `[batch, time]`, the tokens to predict.
        y_pred: logits `[batch, time, vocabulary]`, or negative log likelihoods
            `[batch, time]` where the model has already computed them.
        sample_weight: float `[batch, time]`, 1 at real tokens and 0 at padding.

    Returns:
        float32 scalar.

    Example:
    >>> loss = LanguageModelingLoss()
    >>> round(float(loss([[1, 0]], [[0.5, 9.0]], [[1.0, 0.0]])), 3)
    0.5
    """

    def __init__(self, name: str = "lm_loss") -> None:
        super().__init__(
            name=name, reduction="mean_with_sample_weight", dtype="float32"
        )

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Computes the loss; see the class."""
        if sample_weight is None:
            sample_weight = keras.ops.ones(keras.ops.shape(y_true)[:2], "float32")
        loss = super().__call__(y_true, y_pred, sample_weight=sample_weight)
        return loss * replica_share(keras.ops.sum(sample_weight))

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Computes each token's loss, float32 `[batch, time]`."""
        return token_losses(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"name": self.name}


def token_losses(y_true: Any, y_pred: Any) -> Any:
    """Computes negative log likelihoods, unless `y_pred` already holds them.

    Args:
        y_true: int `[batch, time]`.
        y_pred: logits `[batch, time, vocabulary]` or losses `[batch, time]`.

    Returns:
        float32 `[batch, time]`.
    """
    y_pred = keras.ops.cast(y_pred, "float32")
    if len(y_pred.shape) == 2:
        return y_pred
    return keras.ops.sparse_categorical_crossentropy(
        keras.ops.cast(y_true, "int32"), y_pred, from_logits=True
    )
