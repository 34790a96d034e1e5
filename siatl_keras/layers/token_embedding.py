"""`TokenEmbedding`: Keras's reversible embedding with a bias on the logits.

The language models of the paper have a biased softmax, tied to the embedding or, by a
setting of the authors' code, with a matrix of its own, as wide as the LSTM.
`keras.layers.ReversibleEmbedding` has no bias, and knows one width.
"""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="siatl_keras")
class TokenEmbedding(keras.layers.ReversibleEmbedding):
    """Embeds token ids, and maps hidden states back to logits over the vocabulary.

    Args:
        input_dim: int, vocabulary size.
        output_dim: int, embedding size.
        reverse_dim: int, size of the hidden states that `reverse=True` takes, with
            `tie_weights=False`; `None` for the embedding's.
        **kwargs: see `keras.layers.ReversibleEmbedding`.

    Call arguments:
        inputs: int `[batch, time]`; or with `reverse=True`
            float `[batch, time, reverse_dim]`.
        reverse: bool.

    Returns:
        `[batch, time, embedding]`, or logits `[batch, time, vocabulary]`.

    Raises:
        ValueError: if tied weights are asked to have two widths.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        reverse_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(input_dim, output_dim, **kwargs)
        self.reverse_dim = output_dim if reverse_dim is None else reverse_dim
        if self.tie_weights and self.reverse_dim != output_dim:
            raise ValueError(
                "`reverse_dim` must be left out with tied weights, which are as wide "
                f"as the embedding, {output_dim}. Pass `tie_weights=False`. Received: "
                f"reverse_dim={reverse_dim}."
            )
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        """Makes the embedding matrix, the output layer's if untied, and its bias."""
        # Not the parent's, whose output layer is as wide as the embedding.
        keras.layers.Embedding.build(self, input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                shape=(self.reverse_dim, self.input_dim),
                initializer=self.embeddings_initializer,
                name="reverse_embeddings",
            )
        self.reverse_bias = self.add_weight(
            shape=(self.input_dim,), initializer="zeros", name="reverse_bias"
        )

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        """Embeds, or projects back; see the class."""
        outputs = super().call(inputs, reverse=reverse)
        return outputs + self.reverse_bias if reverse else outputs

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {**super().get_config(), "reverse_dim": self.reverse_dim}

    @property
    def variable_serialization_spec(self) -> dict[Any, list[str]]:
        """Names the variables that are saved, by quantization mode."""
        # Keras's embeddings save these, not all their weights.
        spec = super().variable_serialization_spec
        return {mode: [*names, "reverse_bias"] for mode, names in spec.items()}
