"""`LSTM`: `keras.layers.LSTM` with a faster CPU path and recurrent weight dropout.

Weight dropout on the recurrent matrix is AWD-LSTM's (Merity et al. 2018), used by the
language models that SiATL fine-tunes; the CPU paths are `lstm_kernel.py` in training
and `lstm_inference.py` else.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from siatl_keras.arguments import check_share, check_whole
from siatl_keras.compat import layer_parts
from siatl_keras.layers.lstm_inference import lstm_inference
from siatl_keras.layers.lstm_kernel import lstm_sequence


@keras.saving.register_keras_serializable(package="siatl_keras")
class LSTM(keras.layers.LSTM):
    """A drop-in for `keras.layers.LSTM`: same weights, same arguments, faster on CPUs.

    On a GPU, Keras's own cuDNN path runs. Configurations outside the usual LSTM (other
    activations, no bias, recurrent dropout, unrolling) run Keras's generic loop.

    Args:
        units: int, size of the state and of the output.
        recurrent_weight_dropout: float in [0, 1); share of the recurrent matrix's
            entries set to zero for a whole batch in training (weight drop).
        **kwargs: all arguments of `keras.layers.LSTM`.

    Attributes:
        steps_per_turn: int, see `lstm_inference`; not saved.

    Call arguments:
        sequences: `[batch, time, features]`.
        initial_state: optional list of two tensors `[batch, units]`.
        mask: optional bool `[batch, time]`.
        training: bool; whether dropout is on.

    Returns:
        As `keras.layers.LSTM`: `[batch, time, units]` or `[batch, units]`, followed by
        the two states where `return_state=True`.

    Raises:
        ValueError: if `recurrent_weight_dropout` is not in [0, 1), or is combined with
            a configuration that the fast path does not cover.

    Example:
    >>> layer = LSTM(8, return_sequences=True)
    >>> layer(keras.ops.ones((2, 5, 3))).shape
    TensorShape([2, 5, 8])
    """

    def __init__(
        self, units: int, *, recurrent_weight_dropout: float = 0.0, **kwargs: Any
    ) -> None:
        check_whole(1, units=units)
        check_share(recurrent_weight_dropout=recurrent_weight_dropout)
        super().__init__(units, **kwargs)
        self.recurrent_weight_dropout = recurrent_weight_dropout
        self.steps_per_turn = 1
        self.weight_dropout_seed = keras.random.SeedGenerator(kwargs.get("seed"))
        self._is_standard = (
            self.activation is keras.activations.tanh
            and self.recurrent_activation is keras.activations.sigmoid
            and self.use_bias
            and not self.recurrent_dropout
            and not self.unroll
            and not self.zero_output_for_mask
        )
        if recurrent_weight_dropout and not self._is_standard:
            raise ValueError(
                "`recurrent_weight_dropout` needs tanh and sigmoid activations, a bias "
                "and neither `recurrent_dropout`, `unroll` nor `zero_output_for_mask`."
            )

    def inner_loop(
        self,
        sequences: Any,
        initial_state: Any,
        mask: Any,
        training: bool = False,
    ) -> Any:
        """Runs the recurrence (Keras calls this with cast inputs and states)."""
        if not self._is_standard:
            return super().inner_loop(sequences, initial_state, mask, training)
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        if training and self.dropout:
            # Keras's own semantics: one mask for all time steps.
            drop = self.cell.get_dropout_mask(sequences[:, 0, :])
            sequences = sequences * ops.expand_dims(drop, 1)
        recurrent_kernel = ops.convert_to_tensor(self.cell.recurrent_kernel)
        if training and self.recurrent_weight_dropout:
            recurrent_kernel = keras.random.dropout(
                recurrent_kernel,
                self.recurrent_weight_dropout,
                seed=self.weight_dropout_seed,
            )
        if self.use_cudnn is not False and tf.config.list_logical_devices("GPU"):
            return layer_parts.backend_lstm(
                self, sequences, initial_state, mask, recurrent_kernel
            )
        if self.go_backwards:
            sequences = ops.flip(sequences, 1)
            mask = None if mask is None else ops.flip(mask, 1)
        given = (
            sequences,
            initial_state[0],
            initial_state[1],
            ops.convert_to_tensor(self.cell.kernel),
            recurrent_kernel,
            ops.convert_to_tensor(self.cell.bias),
            None if mask is None else tf.cast(mask, tf.bool),
        )
        if training:
            outputs, hidden, cell = lstm_sequence(*given)
        else:
            outputs, hidden, cell = lstm_inference(*given, self.steps_per_turn)
        last_output = hidden
        if mask is not None:
            # As in Keras, nothing comes out before the first real step, whatever the
            # initial state.
            seen = ops.cumsum(ops.cast(mask, outputs.dtype), axis=1) > 0
            outputs = ops.where(seen[:, :, None], outputs, 0.0)
            last_output = ops.where(seen[:, -1:], hidden, 0.0)
        return last_output, outputs, [hidden, cell]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "recurrent_weight_dropout": self.recurrent_weight_dropout,
            "use_cudnn": self.use_cudnn,
        }
