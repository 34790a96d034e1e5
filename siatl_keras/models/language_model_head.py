"""`LanguageModelHead`: from hidden states to the language model's loss.

The head of a causal model is its reversible token embedding. Training never calls it:
a `[batch, time, vocabulary]` tensor of logits is what runs out of memory first.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from siatl_keras.arguments import check_whole
from siatl_keras.losses import (
    OutputWeights,
    sampled_cross_entropy,
    sliced_cross_entropy,
)


class LanguageModelHead:
    """Computes the loss of the next token from hidden states.

    Args:
        embedding: a `keras.layers.ReversibleEmbedding`, tied or not.
        seed: a `keras.random.SeedGenerator`, for the sample.
        sampled_words: int, words of the vocabulary that estimate the loss in training,
            see `siatl_keras.losses.sampled_cross_entropy`; `None` for the exact loss.

    Raises:
        ValueError: if `sampled_words` is not from 2 to the vocabulary's size.
    """

    def __init__(
        self, embedding: Any, seed: Any = None, sampled_words: int | None = None
    ) -> None:
        size = embedding.input_dim
        if sampled_words is not None:
            check_whole(0, sampled_words=sampled_words)
            if not 2 <= sampled_words <= size:
                raise ValueError(
                    f"`sampled_words` must be from 2 to the vocabulary's {size} words, "
                    "or None for the exact loss. Received: "
                    f"sampled_words={sampled_words}."
                )
        self.embedding = embedding
        self.seed = seed
        self.sampled_words = sampled_words

    def is_exact(self, training: bool) -> bool:
        """Whether the losses are exact, and not estimated from a sample."""
        return not training or self.sampled_words is None

    def loss(
        self, hidden: Any, targets: Any, weights: Any, training: bool
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the mean loss of the real tokens, and each token's.

        Args:
            hidden: float `[batch, time, embedding]`.
            targets: int `[batch, time]`, the next tokens.
            weights: float `[batch, time]`, 1 at real tokens and 0 at padding.
            training: bool; without it no gradients are made, and nothing is sampled.

        Returns:
            `(loss, token_losses)`, float32: the mean by `weights`, 0 where all are 0,
            which carries the gradient; and `[batch, time]`.
        """
        output = output_weights(self.embedding)
        if self.embedding.reverse_dtype is not None:
            hidden = tf.cast(hidden, self.embedding.reverse_dtype)
        if self.is_exact(training):
            return sliced_cross_entropy(
                hidden,
                output,
                targets,
                weights,
                kernel_learns=training and bool(self.embedding.trainable_variables),
                hidden_learns=training,
            )
        losses = sampled_cross_entropy(
            hidden,
            output,
            targets,
            weights,
            words=self.sampled_words or 0,
            seed=self.seed,
        )
        whole = tf.reduce_sum(losses * weights)
        return tf.math.divide_no_nan(whole, tf.reduce_sum(weights)), losses


def output_weights(embedding: Any) -> OutputWeights:
    """Returns the weights that give the same logits as `reverse=True`.

    An int8 kernel is given in floats. Keras's own head rounds the hidden states to int8
    too, so that its logits of a quantised model differ by that rounding.

    Args:
        embedding: a `keras.layers.ReversibleEmbedding`, tied or not.

    Raises:
        ValueError: if it is quantised otherwise than to int8.
    """
    if embedding.tie_weights:
        kernel = tf.convert_to_tensor(embedding.embeddings)
    else:
        kernel = tf.transpose(tf.convert_to_tensor(embedding.reverse_embeddings))
    if embedding.quantization_mode == "int8":
        tied = embedding.tie_weights
        scale = (
            embedding.embeddings_scale if tied else embedding.reverse_embeddings_scale
        )
        kernel = tf.cast(kernel, embedding.compute_dtype)
        kernel /= tf.cast(scale, kernel.dtype)[:, tf.newaxis]
    elif embedding.quantization_mode is not None:
        raise ValueError(
            "`backbone` may be quantised to int8. Received one quantised to "
            f"{embedding.quantization_mode}: its LM loss cannot be computed."
        )
    bias = getattr(embedding, "reverse_bias", None)
    return OutputWeights(
        kernel,
        None if bias is None else tf.convert_to_tensor(bias),
        embedding.logit_soft_cap,
    )
