"""`BytePairMerges`: words to the ids of their byte pairs, in the graph, as numbers.

KerasHub's own merging joins one pair of a word at a time, as strings: a word of 20 000
letters, which anybody can send to a server, took it minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import tensorflow as tf

# Longer words are merged in pieces, since the time that one takes may be the square of
# its length. No word of a language is as long; of Chinese without a comma, 166
# characters are.
LONGEST_PIECE = 500

_NONE = 2**31 - 1


class BytePairMerges(tf.Module):
    r"""Splits words into bytes, and joins neighbours, those of the lowest rank first.

    Args:
        vocabulary: dict of token to id.
        merges: pairs of tokens that are joined, in the order of their ranks.
        byte_characters: the characters that stand for the 256 bytes in tokens.

    Call arguments:
        words: string `[words]`.

    Returns:
        int32 ragged `[words, None]`, -1 for what is not in the vocabulary.

    Example:
    >>> merge = BytePairMerges({"a": 0, "b": 1, "ab": 2}, [("a", "b")], "ab" * 128)
    >>> merge(tf.constant([b"\x00\x01\x00"])).to_list()
    [[2, 0]]
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        merges: Iterable[tuple[str, str]],
        byte_characters: Sequence[str],
    ) -> None:
        super().__init__(name="byte_pair_merges")
        # Numbers of its own: what is joined on the way need not be in the vocabulary.
        numbers: dict[str, int] = {}

        def number_of(token: str) -> int:
            return numbers.setdefault(token, len(numbers))

        self._bytes = tf.constant([number_of(c) for c in byte_characters], tf.int64)
        pairs, joined = [], []
        for left, right in merges:
            pairs.append((number_of(left), number_of(right)))
            joined.append(number_of(left + right))
        self._size = len(numbers)
        self._ids = tf.constant([vocabulary.get(token, -1) for token in numbers])
        # With one more, so that there is something to look up where there are none.
        self._joined = tf.constant([*joined, 0], tf.int64)
        # The first of two equal pairs counts, as it does for a list that is searched.
        keys = {self._key(*pair): i for i, pair in reversed([*enumerate(pairs)])}
        self._ranks = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                [*keys, -1], [*keys.values(), _NONE], tf.int64, tf.int32
            ),
            default_value=_NONE,
        )

    def __call__(self, words: tf.Tensor) -> tf.RaggedTensor:
        """Gives the ids of words."""
        lengths = tf.strings.length(words)
        starts = tf.repeat(tf.cumsum(lengths, exclusive=True), lengths)
        word = tf.repeat(tf.range(tf.size(words, tf.int64)), lengths)
        values = tf.io.decode_raw(tf.strings.reduce_join(words), tf.uint8)
        places = tf.range(tf.size(values)) - starts
        piece = tf.cumsum(tf.cast(places % LONGEST_PIECE == 0, tf.int32)) - 1
        tokens = tf.gather(self._bytes, tf.cast(values, tf.int32))
        state = (tf.constant(True), tokens, piece, word)
        shapes = (tf.TensorShape([]), *[tf.TensorShape([None])] * 3)
        _, tokens, _, word = tf.while_loop(
            lambda more, *_: more, self._join, state, shape_invariants=shapes
        )
        return tf.RaggedTensor.from_value_rowids(
            tf.gather(self._ids, tokens), word, tf.size(words, word.dtype)
        )

    def _join(
        self, _: tf.Tensor, tokens: tf.Tensor, piece: tf.Tensor, word: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """Joins, in each piece, all pairs of the lowest rank there."""
        of, left, right = piece[:-1], tokens[:-1], tokens[1:]
        ranks = self._ranks.lookup(self._key(left, right))
        ranks = tf.where(of == piece[1:], ranks, _NONE)
        count = tf.reduce_max(tf.concat([piece, [-1]], 0)) + 1
        lowest = tf.gather(tf.math.unsorted_segment_min(ranks, of, count), of)
        found = (ranks == lowest) & (ranks < _NONE)
        joins = found & _is_every_second_of_its_run(found)
        first = tf.concat([joins, tf.zeros_like(piece[:1], tf.bool)], 0)
        second = tf.concat([tf.zeros_like(piece[:1], tf.bool), joins], 0)
        known = tf.where(joins, ranks, tf.size(self._joined) - 1)
        joined = tf.concat([tf.gather(self._joined, known), tokens[:1]], 0)
        # Where there are no tokens, there is nothing to join, either.
        tokens = tf.where(first, joined[: tf.size(tokens)], tokens)
        kept = (tf.boolean_mask(each, ~second) for each in (tokens, piece, word))
        return tf.reduce_any(joins), *kept

    def _key(self, left, right):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        return left * self._size + right


def _is_every_second_of_its_run(found: tf.Tensor) -> tf.Tensor:
    """Tells of pairs side by side, a a a, those that can be joined from the left."""
    begins = found & ~tf.concat([tf.zeros_like(found[:1]), found[:-1]], 0)
    places = tf.range(tf.size(found))
    # With one more, for those before the first run.
    begun = tf.concat([[0], tf.boolean_mask(places, begins)], 0)
    since = places - tf.gather(begun, tf.cumsum(tf.cast(begins, tf.int32)))
    return since % 2 == 0
