"""Turning ragged token ids into what models take, and into LM targets."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def add_start_and_end(
    token_ids: tf.RaggedTensor,
    start_id: int | None,
    end_id: int | None,
    limit: int | None,
) -> tf.RaggedTensor:
    """Puts start and end tokens around each row and cuts rows at `limit` tokens.

    Args:
        token_ids: int32 ragged `[batch, None]`.
        start_id: id of the start token, or `None` to add none.
        end_id: id of the end token, or `None`. A row that is cut keeps no end token,
            since its text goes on.
        limit: int, longest row returned, or `None`.

    Returns:
        int32 ragged `[batch, None]`.
    """
    rows = token_ids.nrows()

    def column(token_id: int) -> tf.RaggedTensor:
        filled = tf.fill([rows, 1], tf.constant(token_id, token_ids.dtype))
        return tf.RaggedTensor.from_tensor(filled, row_splits_dtype=tf.int64)

    parts = [token_ids.with_row_splits_dtype(tf.int64)]
    if start_id is not None:
        parts.insert(0, column(start_id))
    if end_id is not None:
        parts.append(column(end_id))
    return tf.concat(parts, axis=1)[:, :limit]


def pad(
    token_ids: tf.RaggedTensor, pad_id: int, length: int | None = None
) -> dict[str, tf.Tensor]:
    """Pads rows on the right.

    Args:
        token_ids: int32 ragged `[batch, None]`.
        pad_id: id of the padding token.
        length: int, steps of the result, known in a graph too; the longest row's if
            not given.

    Returns:
        dict of `token_ids` and `padding_mask`, int32 `[batch, time]`.
    """
    dense = token_ids.to_tensor(pad_id, shape=[None, length])
    # At least one step, for a batch of no rows to keep a shape that layers can run.
    if length is None:
        missing = tf.maximum(0, 1 - tf.shape(dense)[1])
        dense = tf.pad(dense, [[0, 0], [0, missing]], constant_values=pad_id)
    mask = tf.sequence_mask(token_ids.row_lengths(), tf.shape(dense)[1])
    return {"token_ids": dense, "padding_mask": tf.cast(mask, tf.int32)}


def next_tokens(inputs: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the LM's targets: the tokens shifted left, and where they are real.

    Args:
        inputs: what `pad` returns.

    Returns:
        `(targets int32 [batch, time], weights float32 [batch, time])`.
    """

    def shifted(x: Any) -> tf.Tensor:
        return tf.pad(x[:, 1:], [[0, 0], [0, tf.minimum(1, tf.shape(x)[1])]])

    targets = shifted(inputs["token_ids"])
    return targets, tf.cast(shifted(inputs["padding_mask"]), tf.float32)
