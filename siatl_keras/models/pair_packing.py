"""`join_pairs`: two texts as one row of tokens, each side cut fairly.

What stands between them is what the language model has seen between two texts that
follow one another, so that it needs to learn no new token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from siatl_keras.models.packing import add_start_and_end

NEWLINE = "\n"


def separator_ids(
    tokenizer: Any, tokenize: Callable[[tf.Tensor], tf.RaggedTensor]
) -> tuple[int, ...]:
    """Finds the tokens that separate the texts of a pair.

    Args:
        tokenizer: a `keras_hub.tokenizers.Tokenizer` with its vocabulary.
        tokenize: turns string `[batch]` into ragged ids, by this tokenizer.

    Returns:
        the end token and then the start token; the one where they are the same or the
        other is missing; where both are, the tokens of a newline.

    Raises:
        ValueError: if the tokenizer has none of these.
    """
    special = (
        getattr(tokenizer, name, None) for name in ("end_token_id", "start_token_id")
    )
    ids = dict.fromkeys(int(token_id) for token_id in special if token_id is not None)
    if ids:
        return tuple(ids)
    with tf.init_scope():  # Their numbers are needed while a graph is traced, too.
        newline = tokenize(tf.constant([NEWLINE])).flat_values.numpy().tolist()
    if not newline or getattr(tokenizer, "unk_token_id", None) in newline:
        raise ValueError(
            "`pairs` needs a token between the two texts that the language model "
            "knows: an end or a start token, or a newline. Received: "
            f"{type(tokenizer).__name__}, which has none of them. Give it an "
            "`end_token` that the language model was trained with."
        )
    return tuple(map(int, newline))


def join_pairs(
    first: tf.RaggedTensor,
    second: tf.RaggedTensor,
    separator: Sequence[int],
    start_id: int | None,
    end_id: int | None,
    limit: int | None,
) -> tuple[tf.RaggedTensor, tf.Tensor]:
    """Makes rows of start, first text, separator, second text, end.

    Where a row would be longer than `limit`, each text keeps at most half of the room,
    and what one does not need the other gets: the longer one is cut first, as BERT's
    pairs are. Of an odd room the first text gets one token more.

    Args:
        first: int32 ragged `[batch, None]`, tokens of the first texts.
        second: the same of the second texts.
        separator: ids of the tokens between them.
        start_id: id of the start token, or `None` to add none.
        end_id: id of the end token, or `None`. A row that is cut keeps no end token,
            see `add_start_and_end`.
        limit: int, longest row returned, or `None`.

    Returns:
        `(token_ids int32 ragged [batch, None], is_cut bool [batch])`: the rows, and
        which of them lost tokens of a text.
    """
    length, other = first.row_lengths(), second.row_lengths()
    is_cut = tf.zeros_like(length, tf.bool)
    if limit is not None:
        room = limit - len(separator) - int(start_id is not None)
        is_cut = length + other > room
        # What the other leaves, half of the room at least.
        kept = tf.minimum(length, tf.maximum(room - other, room - room // 2))
        first = _first_tokens(first, kept)
        second = _first_tokens(second, tf.minimum(other, room - kept))
    between = tf.tile(tf.constant([separator], first.dtype), [first.nrows(), 1])
    joined = tf.concat([first, between, second], axis=1)
    return add_start_and_end(joined, start_id, end_id, limit), is_cut


def _first_tokens(token_ids: tf.RaggedTensor, kept: tf.Tensor) -> tf.RaggedTensor:
    """Keeps the first tokens of each row, of each as many as `kept` says."""
    lengths = token_ids.row_lengths()
    places = tf.ragged.range(lengths).flat_values
    values = tf.boolean_mask(token_ids.flat_values, places < tf.repeat(kept, lengths))
    return tf.RaggedTensor.from_row_lengths(values, kept)
