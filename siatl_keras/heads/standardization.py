"""`Standardization`: features to mean 0 and deviation 1, as they were before training.

A transformer's states have a few features that are a hundred times the size of all
others, and hardly vary. Unscaled they decide what a linear layer learns first.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="siatl_keras")
class Standardization(keras.layers.Layer):
    """Subtracts means and divides by deviations that `adapt` has measured.

    Both are weights that do not learn; `keras.layers.Normalization` has constants
    beside its weights, which a restored backup would leave as they were. Before `adapt`
    it returns its inputs.

    Call arguments:
        inputs: float `[batch, features]`.

    Returns:
        float `[batch, features]`.
    """

    def build(self, input_shape: Any) -> None:
        """Makes both weights."""
        self.mean, self.deviation = (
            self.add_weight(
                shape=(input_shape[-1],),
                initializer="zeros",
                trainable=False,
                name=name,
            )
            for name in ("mean", "deviation")
        )

    @property
    def is_adapted(self) -> bool:
        """Whether means and deviations have been measured."""
        return bool(np.any(ops.convert_to_numpy(self.deviation)))

    def adapt(self, features: np.ndarray) -> np.ndarray:
        """Measures, and returns the features as the layer gives them from now on.

        Args:
            features: float `[rows, features]`.
        """
        deviation = features.std(0)
        # What does not vary stays small.
        deviation = np.where(deviation > 1e-6, deviation, 1.0)
        self.mean.assign(features.mean(0))
        self.deviation.assign(deviation)
        return (features - features.mean(0)) / deviation

    def call(self, inputs: Any) -> Any:
        """Standardizes; see the class."""
        deviation = ops.where(self.deviation > 0, self.deviation, 1.0)
        return (inputs - self.mean) / deviation
