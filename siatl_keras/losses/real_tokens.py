"""The real tokens of a padded batch: found, picked out, and put back in their places.

LM losses are computed for these alone: half of a batch can be padding.
"""

from __future__ import annotations

import tensorflow as tf


def real_places(weights: tf.Tensor) -> tf.Tensor:
    """Finds the tokens that count.

    Args:
        weights: float `[batch, time]`; 0 where the target is padding.

    Returns:
        int64 `[tokens]`, places in the flattened batch.
    """
    return tf.where(tf.reshape(weights, [-1]) > 0)[:, 0]


def take_places(x: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
    """Picks tokens out.

    Args:
        x: `[batch, time]` or `[batch, time, units]`.
        places: what `real_places` returned.

    Returns:
        `[tokens]` or `[tokens, units]`.
    """
    return tf.gather(tf.reshape(x, [-1, *x.shape[2:]]), places)


def put_back(values: tf.Tensor, places: tf.Tensor, batch: tf.Tensor) -> tf.Tensor:
    """Puts values of tokens where these came from.

    Args:
        values: `[tokens]`.
        places: what `real_places` returned.
        batch: `[batch, time]`, for its shape.

    Returns:
        `[batch, time]`, 0 elsewhere.
    """
    flat = tf.scatter_nd(
        places[:, tf.newaxis], values, [tf.size(batch, out_type=tf.int64)]
    )
    return tf.reshape(flat, tf.shape(batch))
