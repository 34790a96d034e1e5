"""Language-model cross-entropy over a sample of the vocabulary, for training only.

With a hundred thousand words the softmax costs more than all LSTMs together. Here the
frequent words count exactly and the others by a sample of them (importance sampling of
the softmax's sum: Bengio and Senécal 2003; measured by `benchmarks/pretraining.py`).
"""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from siatl_keras.losses.output_weights import OutputWeights
from siatl_keras.losses.real_tokens import put_back, real_places, take_places


def sampled_cross_entropy(
    hidden: tf.Tensor,
    output: OutputWeights,
    targets: tf.Tensor,
    weights: tf.Tensor,
    *,
    words: int,
    seed: Any,
) -> tf.Tensor:
    """Estimates each token's cross-entropy from `words` words and its target.

    The first half of the words are those of the lowest ids, always; the second half
    are drawn from the rest, log-uniformly over the ids: vocabularies are ordered by
    frequency. The softmax's sum is estimated without bias, and the estimate becomes
    exact as `words` grows.

    Args:
        hidden: `[batch, time, embedding]`.
        output: the output layer's weights.
        targets: int `[batch, time]`.
        weights: float `[batch, time]`; 0 where the target is padding.
        words: int, from 2 to the vocabulary's size.
        seed: a `keras.random.SeedGenerator`.

    Returns:
        float32 `[batch, time]`, 0 where the weight is 0. It carries gradients: sparse
        ones for kernel and bias.
    """
    vocabulary = output.kernel.shape[0]
    exact = words // 2
    drawn = _draw(exact, vocabulary, words - exact, seed)
    candidates = tf.concat([tf.range(exact), drawn], 0)
    # A word drawn stands for all the words that its chance leaves out.
    expected = _chance(drawn, exact, vocabulary) * (words - exact)
    log_counts = tf.concat([tf.zeros([exact]), tf.math.log(expected)], 0)

    real = real_places(weights)
    flat_hidden = take_places(hidden, real)
    flat_targets = tf.cast(take_places(targets, real), tf.int32)

    def rows(ids: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.gather(output.kernel, ids), hidden.dtype)

    def biases(ids: tf.Tensor) -> tf.Tensor | float:
        if output.bias is None:
            return 0.0
        return tf.cast(tf.gather(output.bias, ids), tf.float32)

    def capped(products: tf.Tensor) -> tf.Tensor:
        products = tf.cast(products, tf.float32)
        cap = output.soft_cap
        return cap * tf.tanh(products / cap) if cap else products

    logits = tf.matmul(flat_hidden, rows(candidates), transpose_b=True)
    logits = capped(logits) + biases(candidates) - log_counts
    # The target counts once, by its own logit.
    is_target = candidates == flat_targets[:, tf.newaxis]
    logits = tf.where(is_target, -math.inf, logits)  # [tokens, words]
    products = tf.cast(flat_hidden * rows(flat_targets), tf.float32)
    at_target = capped(tf.reduce_sum(products, -1)) + biases(flat_targets)
    logits = tf.concat([at_target[:, tf.newaxis], logits], -1)
    losses = tf.reduce_logsumexp(logits, -1) - at_target
    return put_back(losses, real, targets)


def _draw(first: int, end: int, count: int, seed: Any) -> tf.Tensor:
    """Draws ids from `first` to `end - 1`, log-uniformly, with replacement."""
    shares = keras.random.uniform((count,), seed=seed, dtype="float32")
    logs = math.log(first + 1) + shares * math.log((end + 1) / (first + 1))
    ids = tf.cast(tf.exp(logs), tf.int32) - 1
    return tf.clip_by_value(ids, first, end - 1)  # Rounding, at both ends.


def _chance(ids: tf.Tensor, first: int, end: int) -> tf.Tensor:
    """Returns the probabilities with which `_draw` draws ids."""
    ids = tf.cast(ids, tf.float32)
    return tf.math.log1p(1.0 / (ids + 1.0)) / math.log((end + 1) / (first + 1))
