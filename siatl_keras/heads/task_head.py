"""`TaskHead`: from a language model's hidden states to the task's outputs.

Source: Chronopoulou et al. 2019, section 3: a task LSTM, self-attention, a softmax; and
Howard & Ruder 2018 (ULMFiT), section 3.3: concat pooling, two linear blocks.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from siatl_keras.arguments import check_flag, check_share, check_whole
from siatl_keras.compat import layer_parts
from siatl_keras.heads.linear_block import LinearBlock
from siatl_keras.heads.poolings import PoolingInput, make_pooling
from siatl_keras.heads.standardization import Standardization
from siatl_keras.heads.windowed_pooling import WindowedPooling
from siatl_keras.layers.lstm import LSTM

# Those of the constructor that a model passes on.
HEAD_ARGUMENTS = (
    "units",
    "num_layers",
    "bidirectional",
    "pooling",
    "standardize",
    "input_dropout",
    "lstm_dropout",
    "attention_dropout",
    "output_dropout",
    "block_units",
    "block_dropout",
)


@keras.saving.register_keras_serializable(package="siatl_keras")
class TaskHead(keras.layers.Layer):
    """Runs a task LSTM over hidden states, pools its steps, and gives outputs.

    Args:
        num_outputs: int, such as the number of classes.
        units: int, units of each task LSTM (of each direction).
        num_layers: int, task LSTMs on top of each other; 0 pools the hidden states,
            from which all outputs start out at 0.
        bidirectional: bool, whether they run both ways.
        pooling: "attention" (the paper's), "last" (the state after the last token),
            "mean", "concat" (ULMFiT's: last, maximum and mean), or a layer of one's
            own, see `siatl_keras.heads.poolings`.
        standardize: bool, whether the pooled vector's features are standardized, see
            `Standardization`; `fit` measures them on the texts that it trains on, and
            without task LSTMs and blocks lets the outputs begin with the task's
            `linear_start`, of classes a discriminant analysis.
        input_dropout: float, locked dropout on the hidden states.
        lstm_dropout: float, locked dropout on each task LSTM's output.
        attention_dropout: float, dropout on the attention's scores.
        output_dropout: float, dropout on the pooled vector.
        block_units: int, units of a `LinearBlock` with ReLU before the classes, which
            are then a `LinearBlock` too, as in ULMFiT; 0 for neither.
        block_dropout: float, dropout on the output of the former.
        windows: `(length, step)` of the windows that long texts are pooled in, see
            `WindowedPooling`; `None` pools all steps at once.
        **kwargs: see `keras.layers.Layer`.

    Call arguments:
        hidden: `[batch, time, embedding]`.
        padding_mask: int `[batch, time]`; padding on the right, or, without task
            LSTMs, on either side.
        training: bool.

    Returns:
        `(outputs [batch, num_outputs], weights [batch, time])`, both float32. The
        weights are those of the pooling; 0 where it has none (`has_weights`).

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        num_outputs: int,
        units: int = 100,
        num_layers: int = 1,
        bidirectional: bool = False,
        pooling: Any = "attention",
        standardize: bool = False,
        input_dropout: float = 0.0,
        lstm_dropout: float = 0.0,
        attention_dropout: float = 0.0,
        output_dropout: float = 0.0,
        block_units: int = 0,
        block_dropout: float = 0.0,
        windows: tuple[int, int] | None = None,
        **kwargs: Any,
    ) -> None:
        check_whole(1, num_outputs=num_outputs)
        check_whole(1, units=units)
        check_whole(0, num_layers=num_layers, block_units=block_units)
        check_flag(bidirectional=bidirectional, standardize=standardize)
        check_share(
            input_dropout=input_dropout,
            lstm_dropout=lstm_dropout,
            attention_dropout=attention_dropout,
            output_dropout=output_dropout,
            block_dropout=block_dropout,
        )
        super().__init__(**kwargs)
        self.num_outputs = num_outputs
        self.units = units
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.input_dropout = input_dropout
        self.lstm_dropout = lstm_dropout
        self.attention_dropout = attention_dropout
        self.output_dropout = output_dropout
        self.block_units = block_units
        self.block_dropout = block_dropout
        self.windows = windows
        self.standardize = standardize
        self._pooling = pooling

        # === Layers ===
        self._make_lstms()
        self._make_pooling()
        self._make_classes()

    def _make_lstms(self) -> None:
        dtype = self.dtype_policy
        self.lstms: list[keras.layers.Layer] = []
        for index in range(self.num_layers):
            lstm: keras.layers.Layer = LSTM(
                self.units, return_sequences=True, dtype=dtype, name=f"lstm_{index}"
            )
            if self.bidirectional:
                lstm = keras.layers.Bidirectional(
                    lstm, dtype=dtype, name=f"bidirectional_{index}"
                )
            self.lstms.append(lstm)
        rates = [self.input_dropout] + [self.lstm_dropout] * self.num_layers
        self.locked_dropouts = [
            keras.layers.SpatialDropout1D(rate, dtype=dtype) for rate in rates
        ]

    def _make_pooling(self) -> None:
        dtype = self.dtype_policy
        hidden = self.units if self.bidirectional and self.num_layers else None
        self.pooling_layer = make_pooling(
            self._pooling, PoolingInput(self.attention_dropout, hidden, dtype)
        )
        if not isinstance(self._pooling, str):
            self._pooling = self.pooling_layer
        if self.windows is not None:
            self.pooling_layer = WindowedPooling(
                self.pooling_layer, *self.windows, dtype=dtype, name="windows"
            )
        self.standardization = None
        if self.standardize:
            # float32: what is large has few digits left after the point.
            self.standardization = Standardization(
                dtype="float32", name="standardization"
            )

    def _make_classes(self) -> None:
        dtype = self.dtype_policy
        self.block = None
        # float32: losses and probabilities of a mixed-precision model need it.
        if self.block_units:
            self.block = LinearBlock(
                self.block_units, self.output_dropout, "relu", dtype=dtype, name="block"
            )
            self.classes = LinearBlock(
                self.num_outputs, self.block_dropout, dtype="float32", name="classes"
            )
        else:
            self.output_dropout_layer = keras.layers.Dropout(
                self.output_dropout, dtype=dtype
            )
            # A transformer's states have a few large features that hardly vary. With
            # random weights these decide the first predictions, and a small rate takes
            # epochs to outweigh them. A task LSTM's states are all within ±1.
            self.classes = keras.layers.Dense(
                self.num_outputs,
                kernel_initializer="glorot_uniform" if self.num_layers else "zeros",
                dtype="float32",
                name="classes",
            )

    @property
    def pooling(self) -> Any:
        """The pooling's name, or a layer of the user's own."""
        return self._pooling

    @property
    def has_weights(self) -> bool:
        """Whether the pooling weighs the steps, so that the weights tell something."""
        return getattr(self.pooling_layer, "has_weights", False)

    @property
    def is_linear(self) -> bool:
        """Whether the outputs are linear in the standardized features."""
        return not self.num_layers and self.block is None

    def build(self, hidden_shape: Any, padding_mask_shape: Any = None) -> None:
        """Makes the weights of all parts."""
        shape = tuple(hidden_shape)
        for lstm in self.lstms:
            lstm.build(shape)
            shape = (*shape[:-1], self.units * (2 if self.bidirectional else 1))
        # Builds the pooling too, and tells how long its vectors are.
        pooled, _ = layer_parts.symbolic_call(
            self.pooling_layer,
            np.zeros((1, 2, shape[-1]), "float32"),
            np.ones((1, 2), "int32"),
        )
        features = pooled.shape[-1]
        if self.standardization is not None:
            self.standardization.build((shape[0], features))
        if self.block is not None:
            self.block.build((shape[0], features))
            features = self.block_units
        self.classes.build((shape[0], features))

    def call(self, hidden: Any, padding_mask: Any, training: bool = False) -> Any:
        """Computes the outputs; see the class."""
        pooled, weights = self.pool(hidden, padding_mask, training)
        if self.standardization is not None:
            pooled = self.standardization(pooled)
        if weights is None:
            weights = ops.zeros_like(padding_mask, "float32")
        if self.block is not None:
            pooled = self.block(pooled, training=training)
        else:
            pooled = self.output_dropout_layer(pooled, training=training)
        return self.classes(pooled, training=training), weights

    def pool(self, hidden: Any, padding_mask: Any, training: bool = False) -> Any:
        """Computes the vectors `[batch, features]` of texts, and the pooling's weights.

        Args:
            hidden: `[batch, time, embedding]`.
            padding_mask: int `[batch, time]`.
            training: bool, whether dropout is on.
        """
        x = self.locked_dropouts[0](hidden, training=training)
        # Reading left to right, padding on the right comes after all real steps.
        mask = ops.cast(padding_mask, "bool") if self.bidirectional else None
        for lstm, dropout in zip(self.lstms, self.locked_dropouts[1:], strict=True):
            x = lstm(x, mask=mask, training=training)  # [batch, time, units]
            x = dropout(x, training=training)
        # Keras passes `training` on to a pooling that takes it.
        return self.pooling_layer(x, padding_mask)

    def compute_output_spec(
        self, hidden: Any, padding_mask: Any, training: bool = False
    ) -> Any:
        """Returns the specs of the outputs and of the weights."""
        batch, time = hidden.shape[:2]
        return (
            keras.KerasTensor((batch, self.num_outputs), dtype="float32"),
            keras.KerasTensor((batch, time), dtype="float32"),
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "num_outputs": self.num_outputs,
            "units": self.units,
            "num_layers": self.num_layers,
            "bidirectional": self.bidirectional,
            "pooling": self._pooling
            if isinstance(self._pooling, str)
            else keras.saving.serialize_keras_object(self._pooling),
            "standardize": self.standardize,
            "input_dropout": self.input_dropout,
            "lstm_dropout": self.lstm_dropout,
            "attention_dropout": self.attention_dropout,
            "output_dropout": self.output_dropout,
            "block_units": self.block_units,
            "block_dropout": self.block_dropout,
            "windows": self.windows,
        }
