"""`MacroF1`: the unweighted mean of the classes' F1 scores.

`keras.metrics.F1Score` wants one-hot labels, and takes a row of zero logits for no
prediction at all; this one takes class numbers and logits.
"""

from __future__ import annotations

from typing import Any

import keras

from siatl_keras.arguments import check_whole


@keras.saving.register_keras_serializable(package="siatl_keras")
class MacroF1(keras.metrics.F1Score):
    """Macro F1 of class numbers against logits or probabilities.

    A class that is neither labelled nor predicted counts as 0, as in
    `sklearn.metrics.f1_score(labels=range(num_classes), average="macro",
    zero_division=0)`.

    Args:
        num_classes: int, at least 2.
        name: name of the metric.
        dtype: dtype of its state.

    Example:
    >>> metric = MacroF1(2)
    >>> metric.update_state([0, 1], [[2.0, 1.0], [0.0, 3.0]])
    >>> round(float(metric.result()), 3)
    1.0
    """

    def __init__(
        self, num_classes: int, name: str = "macro_f1", dtype: str = "float32"
    ) -> None:
        check_whole(2, num_classes=num_classes)
        # A threshold between 0 and 1 of the one-hot predictions: Keras's search for
        # each row's maximum fails on an empty batch, which a replica may get.
        super().__init__(average="macro", threshold=0.5, name=name, dtype=dtype)
        self.num_classes = num_classes

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Args:
            y_true: int `[batch]`, or `[batch, 1]`.
            y_pred: float `[batch, classes]`.
            sample_weight: float `[batch]`, or `None`.
        """
        y_true = keras.ops.reshape(keras.ops.cast(y_true, "int32"), (-1,))
        if sample_weight is not None:
            sample_weight = keras.ops.reshape(sample_weight, (-1,))
        predicted = keras.ops.argmax(y_pred, axis=-1)
        super().update_state(
            keras.ops.one_hot(y_true, self.num_classes),
            keras.ops.one_hot(predicted, self.num_classes),
            sample_weight=sample_weight,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "num_classes": self.num_classes,
            "name": self.name,
            "dtype": super().get_config()["dtype"],
        }
