"""`TokenRows`: token ids of texts in two arrays, and as records of a TFRecord file."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

# Before a record: its length and a checksum of that; behind it: its own checksum.
_LENGTH, _BEFORE, _BEHIND = "<Q", 12, 4


@dataclass(frozen=True)
class TokenRows:
    """Token ids of texts, without padding.

    Attributes:
        values: whole numbers `[tokens]`, those of all texts in a row.
        splits: int64 `[texts + 1]`; those of text `n` are
            `values[splits[n]:splits[n + 1]]`.

    Example:
    >>> rows = TokenRows.of_lengths(np.array([4, 5, 6, 7]), np.array([3, 0, 1]))
    >>> [values.tolist() for values in rows.take(np.array([2, 0]))]
    [[7], [4, 5, 6]]
    """

    values: np.ndarray
    splits: np.ndarray

    @classmethod
    def of_lengths(cls, values: np.ndarray, lengths: np.ndarray) -> TokenRows:
        """Makes them of the texts' lengths.

        Args:
            values: whole numbers `[tokens]`.
            lengths: whole numbers `[texts]`.
        """
        return cls(values, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))

    @classmethod
    def none(cls, dtype: str) -> TokenRows:
        """Makes them of no texts."""
        return cls(np.zeros(0, dtype), np.zeros(1, np.int64))

    @classmethod
    def joined(cls, parts: Sequence[TokenRows]) -> TokenRows:
        """Joins the texts of one or several.

        Args:
            parts: at least one; all of one dtype but those without texts.
        """
        parts = [part for part in parts if len(part)] or [*parts[:1]]
        if len(parts) == 1:
            return parts[0]
        lengths = np.concatenate([np.diff(part.splits) for part in parts])
        return cls.of_lengths(np.concatenate([part.values for part in parts]), lengths)

    def __len__(self) -> int:
        return len(self.splits) - 1

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(np.split(self.values, self.splits[1:-1]) if len(self) else [])

    def part(self, first: int, last: int) -> TokenRows:
        """Takes texts `first` to `last`, without the latter."""
        splits = self.splits[first : last + 1]
        return TokenRows(self.values[splits[0] : splits[-1]], splits - splits[0])

    def take(self, order: np.ndarray) -> TokenRows:
        """Takes texts by their numbers, in that order.

        Args:
            order: whole numbers `[texts]`.
        """
        lengths = np.diff(self.splits)[order]
        taken = TokenRows.of_lengths(self.values, lengths)
        moved = np.repeat(self.splits[:-1][order] - taken.splits[:-1], lengths)
        return TokenRows(self.values[np.arange(len(moved)) + moved], taken.splits)

    def ragged(self) -> tf.RaggedTensor:
        """Returns them as int32 ragged `[texts, None]`."""
        values = tf.constant(self.values.astype(np.int32))
        return tf.RaggedTensor.from_row_splits(values, self.splits, validate=False)

    def record(self, dtype: str) -> bytes:
        """Returns the `tf.train.Example` that stands for them.

        `values` and `row_lengths` are bytes, which `tf.io.decode_raw` reads.

        Args:
            dtype: of `values`; `row_lengths` are int32. Both are little-endian.
        """
        arrays = {
            "values": self.values.astype(np.dtype(dtype).newbyteorder("<")),
            "row_lengths": np.diff(self.splits).astype("<i4"),
        }
        feature = {
            name: tf.train.Feature(
                bytes_list=tf.train.BytesList(value=[array.tobytes()])
            )
            for name, array in arrays.items()
        }
        example = tf.train.Example(features=tf.train.Features(feature=feature))
        return example.SerializeToString(deterministic=True)


def rows_of_records(content: bytes, dtype: str) -> TokenRows:
    """Reads what a TFRecord file of `TokenRows.record` holds.

    The checksums of the records are not looked at: whoever reads a shard has compared
    that of the whole file.

    Args:
        content: the file's bytes.
        dtype: of the values.

    Returns:
        `TokenRows` of all its texts, the values as stored.
    """
    parts = [TokenRows.none(dtype)]
    at = 0
    while at < len(content):
        (length,) = struct.unpack_from(_LENGTH, content, at)
        begin = at + _BEFORE
        example = tf.train.Example.FromString(content[begin : begin + length])
        values, lengths = (
            example.features.feature[name].bytes_list.value[0]
            for name in ("values", "row_lengths")
        )
        stored = np.frombuffer(values, np.dtype(dtype).newbyteorder("<"))
        parts.append(
            TokenRows.of_lengths(stored.astype(dtype), np.frombuffer(lengths, "<i4"))
        )
        at = begin + length + _BEHIND
    return TokenRows.joined(parts)
