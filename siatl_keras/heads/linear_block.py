"""`LinearBlock`: batch normalisation, dropout and a linear layer.

Source: Howard & Ruder 2018 (ULMFiT), section 3.3: the classifier is two such blocks.
"""

from __future__ import annotations

from typing import Any

import keras

from siatl_keras.arguments import check_share, check_whole

# As PyTorch's default, in Keras's terms. With Keras's own 0.99, the means and variances
# for evaluation would follow too slowly: small sets have 25 steps per epoch.
MOMENTUM = 0.9


@keras.saving.register_keras_serializable(package="siatl_keras")
class LinearBlock(keras.layers.Layer):
    """Normalises over the batch, drops, and maps linearly, with an activation if asked.

    Under a `tf.distribute` strategy the batch is that of all replicas.

    Args:
        units: int, size of the output.
        dropout: float in [0, 1), dropout on the linear layer's input.
        activation: name of a Keras activation, or `None`.
        **kwargs: see `keras.layers.Layer`.

    Call arguments:
        inputs: `[batch, features]`.
        training: bool.

    Returns:
        `[batch, units]`.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        units: int,
        dropout: float = 0.0,
        activation: str | None = None,
        **kwargs: Any,
    ) -> None:
        check_whole(1, units=units)
        check_share(dropout=dropout)
        super().__init__(**kwargs)
        self.units = units
        self.dropout = dropout
        self.activation = activation
        dtype = self.dtype_policy
        self.normalization = keras.layers.BatchNormalization(
            momentum=MOMENTUM, synchronized=True, dtype=dtype, name="normalization"
        )
        self.dropout_layer = keras.layers.Dropout(dropout, dtype=dtype)
        self.linear = keras.layers.Dense(
            units, activation=activation, dtype=dtype, name="linear"
        )

    def build(self, input_shape: Any) -> None:
        """Makes the weights of all parts."""
        self.normalization.build(input_shape)
        self.linear.build(input_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Maps; see the class."""
        x = self.normalization(inputs, training=training)
        return self.linear(self.dropout_layer(x, training=training))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, int]:
        """Returns `(batch, units)`."""
        return (input_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "dropout": self.dropout,
            "activation": self.activation,
        }
