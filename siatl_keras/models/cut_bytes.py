"""`cut_bytes`: texts cut at a number of bytes, between characters, in the graph."""

from __future__ import annotations

import tensorflow as tf


def cut_bytes(texts: tf.Tensor, limit: int) -> tf.Tensor:
    """Cuts texts that are longer, so that no UTF-8 character is cut in two.

    Args:
        texts: string `[batch]`.
        limit: int, most bytes kept, at least 4.

    Returns:
        string `[batch]`.
    """
    rows = tf.where(tf.strings.length(texts) > limit)  # [long, 1]
    long = tf.gather_nd(texts, rows)
    # The bytes around the cut; a character has up to three after its first.
    around = tf.strings.substr(long, limit - 3, 4)
    # With a row more: of no rows, `decode_raw` gives no columns.
    around = tf.concat([around, ["    "]], axis=0)
    values = tf.ensure_shape(tf.io.decode_raw(around, tf.uint8), [None, 4])[:-1]
    begins = tf.cast((values & 0xC0) != 0x80, tf.int32)  # [long, 4]
    # The last byte there that begins a character is the first to go. Where none does,
    # it is no UTF-8 and may be cut anywhere.
    back = tf.argmax(begins[:, ::-1], axis=1, output_type=tf.int32)
    kept = tf.strings.substr(long, tf.zeros_like(back), limit - back)
    return tf.tensor_scatter_nd_update(texts, rows, kept)
