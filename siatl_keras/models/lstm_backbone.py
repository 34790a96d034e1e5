"""`LSTMBackbone`: the word-level LSTM language model under its softmax.

Source: Chronopoulou et al. 2019, section 4 (the pretrained LM), with the
regularisation of AWD-LSTM (Merity et al. 2018) that their code offers.
"""

from __future__ import annotations

from typing import Any

import keras
import keras_hub
from keras import ops

from siatl_keras.arguments import check_at_least, check_flag, check_share, check_whole
from siatl_keras.checksums import check_checksum, write_checksums
from siatl_keras.layers import LSTM, EmbeddingDropout, TokenEmbedding
from siatl_keras.models.unknown_arguments import (
    BACKBONE_ARGUMENTS,
    refuse_unknown_arguments,
)


@keras.saving.register_keras_serializable(package="siatl_keras")
class LSTMBackbone(keras_hub.models.Backbone):
    """Embeds tokens and runs them through a stack of LSTMs, left to right.

    Its `token_embedding`, called with `reverse=True`, gives LM logits: with the matrix
    of the embedding, or with `tie_weights=False` one of its own. Where tied and
    `hidden_dim` differs from `embedding_dim`, a projection takes the last LSTM's
    output down to `embedding_dim`, for the LM head and for what sits on top alike.
    Padding must be on the right; outputs there are zero.

    Args:
        vocabulary_size: int, number of token ids.
        embedding_dim: int, size of the token embedding and of the output.
        hidden_dim: int, units of each LSTM.
        num_layers: int, number of LSTMs.
        tie_weights: bool, whether the output layer's matrix is the embedding's.
        embedding_noise: float, standard deviation of the Gaussian noise on embeddings.
        embedding_dropout: float, share of words dropped (rows of the embedding).
        input_dropout: float, locked dropout on the first LSTM's input.
        hidden_dropout: float, locked dropout between LSTMs.
        output_dropout: float, locked dropout on the last LSTM's output.
        recurrent_weight_dropout: float, dropout on recurrent matrices (weight drop).
        dtype: dtype or `keras.DTypePolicy` of the layers.
        **kwargs: see `keras_hub.models.Backbone`.

    Call arguments:
        inputs: dict of `token_ids` int32 `[batch, time]` (0 is padding, on the right)
            and `padding_mask` int32 `[batch, time]` (1 at real tokens).

    Returns:
        float `[batch, time, embedding]`, or `[batch, time, hidden]` if untied.

    Raises:
        ValueError: if a size is not positive, or a rate out of range.

    Example:
    >>> backbone = LSTMBackbone(
    ...     vocabulary_size=100, embedding_dim=8, hidden_dim=16, num_layers=2)
    >>> token_ids = keras.ops.array([[1, 5, 6, 2, 0]])
    >>> backbone({"token_ids": token_ids, "padding_mask": token_ids > 0}).shape
    TensorShape([1, 5, 8])
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        hidden_dim: int,
        num_layers: int,
        tie_weights: bool = True,
        embedding_noise: float = 0.0,
        embedding_dropout: float = 0.0,
        input_dropout: float = 0.0,
        hidden_dropout: float = 0.0,
        output_dropout: float = 0.0,
        recurrent_weight_dropout: float = 0.0,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        refuse_unknown_arguments(type(self), kwargs, BACKBONE_ARGUMENTS)
        check_whole(
            1,
            vocabulary_size=vocabulary_size,
            embedding_dim=embedding_dim,
            hidden_dim=hidden_dim,
            num_layers=num_layers,
        )
        check_flag(tie_weights=tie_weights)
        check_at_least(0, embedding_noise=embedding_noise)
        check_share(
            embedding_dropout=embedding_dropout,
            input_dropout=input_dropout,
            hidden_dropout=hidden_dropout,
            output_dropout=output_dropout,
            recurrent_weight_dropout=recurrent_weight_dropout,
        )

        # === Config, which the layers are made of ===
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.tie_weights = tie_weights
        self.embedding_noise = embedding_noise
        self.embedding_dropout = embedding_dropout
        self.input_dropout = input_dropout
        self.hidden_dropout = hidden_dropout
        self.output_dropout = output_dropout
        self.recurrent_weight_dropout = recurrent_weight_dropout

        # === Layers ===
        self._make_layers(dtype)

        # === Functional model ===
        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        padding_mask = keras.Input((None,), dtype="int32", name="padding_mask")
        outputs, _ = self.read(token_ids, padding_mask)
        super().__init__(
            inputs={"token_ids": token_ids, "padding_mask": padding_mask},
            outputs=outputs,
            dtype=dtype,
            **kwargs,
        )

    def _make_layers(self, dtype: Any) -> None:
        self.token_embedding = TokenEmbedding(
            self.vocabulary_size,
            self.embedding_dim,
            reverse_dim=None if self.tie_weights else self.hidden_dim,
            tie_weights=self.tie_weights,
            dtype=dtype,
            name="token_embedding",
        )
        self.embedding_dropout_layer = EmbeddingDropout(
            self.vocabulary_size,
            self.embedding_dropout,
            dtype=dtype,
            name="embedding_dropout",
        )
        self.embedding_noise_layer = keras.layers.GaussianNoise(
            self.embedding_noise, dtype=dtype, name="embedding_noise"
        )
        rates = (
            [self.input_dropout]
            + [self.hidden_dropout] * (self.num_layers - 1)
            + [self.output_dropout]
        )
        self.locked_dropouts = [
            # One mask for all time steps of a sequence: variational dropout.
            keras.layers.SpatialDropout1D(
                rate, dtype=dtype, name=f"locked_dropout_{index}"
            )
            for index, rate in enumerate(rates)
        ]
        self.lstms = [
            LSTM(
                self.hidden_dim,
                recurrent_weight_dropout=self.recurrent_weight_dropout,
                return_sequences=True,
                return_state=True,
                dtype=dtype,
                name=f"lstm_{index}",
            )
            for index in range(self.num_layers)
        ]
        self.projection = None
        if self.tie_weights and self.hidden_dim != self.embedding_dim:
            self.projection = keras.layers.Dense(
                self.embedding_dim, dtype=dtype, name="projection"
            )

    def read(
        self,
        token_ids: Any,
        padding_mask: Any,
        states: Any = None,
        training: bool | None = None,
    ) -> tuple[Any, list[Any]]:
        """Runs tokens, from given states if there are any.

        Args:
            token_ids: int `[batch, time]`.
            padding_mask: int `[batch, time]`, padding on the right.
            states: float `[batch, layers, 2, hidden]`; zeros if not given.
            training: bool, whether dropout is on.

        Returns:
            `(outputs, as the call's; hidden and cell state of each LSTM after the last
            step, real or not)`.
        """
        x = self.token_embedding(token_ids)  # [batch, time, embedding]
        x = self.embedding_dropout_layer(x, token_ids, training=training)
        x = self.embedding_noise_layer(x, training=training)
        after = []
        for index, lstm in enumerate(self.lstms):
            before = None
            if states is not None:
                before = [states[:, index, 0], states[:, index, 1]]
            x = self.locked_dropouts[index](x, training=training)
            # No mask: with padding on the right no real step sees a padded one, and
            # neither the CPU kernel nor cuDNN then has to select states.
            x, *state = lstm(x, initial_state=before, training=training)
            after.append(state)  # x: [batch, time, hidden]
        x = self.locked_dropouts[-1](x, training=training)
        if self.projection is not None:
            x = self.projection(x)  # [batch, time, embedding]
        return x * ops.cast(ops.expand_dims(padding_mask, -1), x.dtype), after

    def initial_states(self, batch_size: Any) -> Any:
        """Returns zero states for `step_states`.

        Args:
            batch_size: int or int scalar tensor.

        Returns:
            float `[batch, layers, 2, hidden]`: hidden and cell state of each LSTM.
        """
        return ops.zeros(
            (batch_size, self.num_layers, 2, self.hidden_dim), self.compute_dtype
        )

    def step_states(self, token_ids: Any, padding_mask: Any, states: Any) -> Any:
        """Runs tokens from given states, without dropout, and returns the new states.

        Args:
            token_ids: int `[batch, time]`.
            padding_mask: bool `[batch, time]`; states are carried over where false.
            states: float `[batch, layers, 2, hidden]`.

        Returns:
            `(outputs [batch, time, embedding], as the call's; states [batch, layers, 2,
            hidden])`.
        """
        x = self.token_embedding(token_ids)
        new_states = []
        for index, lstm in enumerate(self.lstms):
            before = [states[:, index, 0], states[:, index, 1]]
            x, hidden, cell = lstm(x, initial_state=before, mask=padding_mask)
            new_states.append(ops.stack([hidden, cell], axis=1))
        if self.projection is not None:
            x = self.projection(x)
        return x, ops.stack(new_states, axis=1)

    def save_to_preset(self, preset_dir: str, *args: Any, **kwargs: Any) -> None:
        """Saves a preset, see `keras_hub.models.Backbone`, with its checksums."""
        super().save_to_preset(preset_dir, *args, **kwargs)
        write_checksums(preset_dir)

    def load_weights(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """Loads weights, see `keras.Model`, unless they are damaged."""
        check_checksum(filepath)
        super().load_weights(filepath, *args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "hidden_dim": self.hidden_dim,
            "num_layers": self.num_layers,
            "tie_weights": self.tie_weights,
            "embedding_noise": self.embedding_noise,
            "embedding_dropout": self.embedding_dropout,
            "input_dropout": self.input_dropout,
            "hidden_dropout": self.hidden_dropout,
            "output_dropout": self.output_dropout,
            "recurrent_weight_dropout": self.recurrent_weight_dropout,
        }
