"""`batch_order`: which examples make which batch of an epoch, in the graph.

Batches of texts of similar length hold few padding tokens; sorting inside shuffled
windows keeps the order random.
"""

from __future__ import annotations

import tensorflow as tf

from siatl_keras.data.length_order import length_order

BATCHES_PER_WINDOW = 16


def batch_order(
    lengths: tf.Tensor, batch_size: int, seed: int, epoch: tf.Tensor
) -> tf.RaggedTensor:
    """Shuffles examples, sorts them by length in windows, and cuts batches.

    Args:
        lengths: int `[examples]`.
        batch_size: int.
        seed: int.
        epoch: int scalar; another epoch gives another order.

    Returns:
        int64 ragged `[batches, None]` of example numbers: every example once, all
        batches of `batch_size` but one, batches in random order.
    """
    count = tf.size(lengths)
    key = tf.stack([tf.cast(seed, tf.int64), tf.cast(epoch, tf.int64)])
    order = tf.random.experimental.stateless_shuffle(tf.range(count), seed=key)
    window = tf.range(count) // (batch_size * BATCHES_PER_WINDOW)
    lengths = tf.cast(tf.gather(lengths, order), tf.int64)
    longest = tf.reduce_max(lengths) + 1
    inside_windows, _ = length_order(tf.cast(window, tf.int64) * longest + lengths)
    order = tf.gather(order, inside_windows)
    batches = tf.RaggedTensor.from_row_lengths(
        tf.cast(order, tf.int64), _batch_sizes(count, batch_size)
    )
    return tf.gather(
        batches,
        tf.random.experimental.stateless_shuffle(
            tf.range(batches.nrows()), seed=key + 1
        ),
    )


def _batch_sizes(count: tf.Tensor, batch_size: int) -> tf.Tensor:
    starts = tf.range(0, count, batch_size)
    return tf.cast(tf.minimum(batch_size, count - starts), tf.int64)
