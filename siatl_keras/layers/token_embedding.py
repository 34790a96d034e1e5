"""`TokenEmbedding`: Keras's reversible embedding with a bias on the logits.

The language models of the paper have a biased softmax tied to the embedding;
`keras.layers.ReversibleEmbedding` has no bias.
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
        **kwargs: see `keras.layers.ReversibleEmbedding`.

    Call arguments:
        inputs: int `[batch, time]`; or with `reverse=True`
            float `[batch, time, embedding]`.
        reverse: bool.

    Returns:
        `[batch, time, embedding]`, or logits `[batch, time, vocabulary]`.
    """

    def __init__(self, input_dim: int, output_dim: int, **kwargs: Any) -> None:
        super().__init__(input_dim, output_dim, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        """Makes the embedding matrix and the bias of the logits."""
        super().build(input_shape)
        self.reverse_bias = self.add_weight(
            shape=(self.input_dim,), initializer="zeros", name="reverse_bias"
        )

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        """Embeds, or projects back; see the class."""
        outputs = super().call(inputs, reverse=reverse)
        return outputs + self.reverse_bias if reverse else outputs

    @property
    def variable_serialization_spec(self) -> dict[Any, list[str]]:
        """Names the variables that are saved, by quantization mode."""
        # Keras's embeddings save these, not all their weights.
        spec = super().variable_serialization_spec
        return {mode: [*names, "reverse_bias"] for mode, names in spec.items()}
