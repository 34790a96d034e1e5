"""`TokenBatches`: the pieces of a pass over token shards, found by their number.

For `lm_dataset`: the same pieces as of the texts, in the same order.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from siatl_keras.data.token_rows import TokenRows
from siatl_keras.data.token_shards import TokenShards


def shuffled_order(seed: int | None, number: int, block: int, size: int) -> np.ndarray:
    """Returns the order of the texts of a block, which depends on nothing else.

    Args:
        seed: int; `None` keeps the order.
        number: int, of the pass.
        block: int, of the block in the pass.
        size: int, texts of the block.

    Returns:
        whole numbers `[size]`.
    """
    if seed is None:
        return np.arange(size)
    return np.random.default_rng((seed, number, block)).permutation(size)


class TokenBatches:
    """The pieces that passes over token shards are made of.

    Args:
        shards: the texts.
        preprocessor: as of `lm_dataset`.
        seed: as of `lm_dataset`.
        block_size: int, texts that are shuffled at once.

    Attributes:
        tokens_of_a_pass: int, start and end tokens with them.
    """

    def __init__(
        self, shards: TokenShards, preprocessor: Any, seed: int | None, block_size: int
    ) -> None:
        self.shards, self.preprocessor = shards, preprocessor
        self.seed, self.block_size = seed, block_size
        empty = tf.ragged.constant([[]], tf.int32)
        marked = preprocessor.with_markers(empty, limit=None)
        self._markers = int(marked.row_lengths()[0])
        self.tokens_of_a_pass = shards.tokens + self._markers * shards.rows

    def sentences(
        self, number: int, first: int, texts: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
        """Yields the texts of a pass, so many at once.

        Args:
            number: int, of the pass.
            first: int, of the piece to begin with.
            texts: int, texts of a piece.

        Yields:
            ids int32 `[tokens]` without start and end tokens, splits int64
            `[texts + 1]`, and the number of the piece.
        """
        block, before = divmod(first * texts, self.block_size)
        held, piece = TokenRows.none("int32"), first
        for rows in self._blocks(number, block):
            held = TokenRows.joined([held, rows.part(before, len(rows))])
            before = at = 0
            while at + texts <= len(held):
                yield _int32(held.part(at, at + texts), piece)
                at, piece = at + texts, piece + 1
            held = held.part(at, len(held))
        if len(held):
            yield _int32(held, piece)

    def streams(
        self, number: int, first: int, tokens: int
    ) -> Iterator[tuple[np.ndarray, int]]:
        """Yields the tokens of a pass, all texts joined, so many at once.

        Args:
            number: int, of the pass.
            first: int, of the piece to begin with.
            tokens: int, tokens of a piece, without the one it shares with the piece
                before: that one's last. An end token stands before the first piece.

        Yields:
            ids int32 `[tokens + 1]` with start and end tokens, fewer in the last
            piece, and the number of the piece.
        """
        end = np.array([self.preprocessor.tokenizer.end_token_id], np.int32)
        held, block, before = end, 0, 0
        if first:
            # The block of the shared token, and how many of its tokens are before it.
            shared = first * tokens - 1
            block = bisect.bisect_right(
                range(-(-self.shards.rows // self.block_size)),
                shared,
                key=self._tokens_before_block,
            )
            block, held = block - 1, end[:0]
            before = shared - self._tokens_before_block(block)
        piece = first
        for rows in self._blocks(number, block):
            with tf.device("cpu"):
                marked = self.preprocessor.with_markers(rows.ragged(), limit=None)
            held = np.concatenate([held, marked.flat_values.numpy()[before:]])
            before = at = 0
            while at + tokens < len(held):
                yield held[at : at + tokens + 1], piece
                at, piece = at + tokens, piece + 1
            held = held[at:]
        if len(held) > 1:
            yield held, piece

    def _blocks(self, number: int, first: int) -> Iterator[TokenRows]:
        for block in itertools.count(first):
            begin = block * self.block_size
            end = min(begin + self.block_size, self.shards.rows)
            if begin >= end:
                return
            order = shuffled_order(self.seed, number, block, end - begin)
            yield self.shards.read(begin, end).take(order)

    def _tokens_before_block(self, block: int) -> int:
        row = block * self.block_size
        return self.shards.tokens_before(row) + self._markers * row


def _int32(rows: TokenRows, piece: int) -> tuple[np.ndarray, np.ndarray, int]:
    return rows.values.astype(np.int32), rows.splits, piece
