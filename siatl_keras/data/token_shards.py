"""`TokenShards`: reads texts by number from a folder of token ids.

A shard is read whole, and its SHA-256 compared each time: that takes a twentieth of a
second for 100 000 tweets, which a run trains on for minutes.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
from pathlib import Path
from typing import Any

from siatl_keras.arguments import check_whole
from siatl_keras.data.readers import PathLike
from siatl_keras.data.token_index import INDEX, REMEDY, Shard, read_index
from siatl_keras.data.token_rows import TokenRows, rows_of_records


class TokenShards:
    """A folder that `recipes.tokenize_corpus` wrote.

    Args:
        folder: the folder.
        tokenizer: the one whose ids are wanted; its `fingerprint()` is compared.
        worker: int, from 0: which of several workers reads.
        workers: int, how many read; each has every so-many-th shard, and needs no
            others. Their passes differ in length, by a shard at most.

    Attributes:
        rows: texts.
        tokens: ids, without start and end tokens.

    Raises:
        ValueError: if the folder is not whole, a shard is missing or has another size,
            the ids are of another tokenizer, or there are fewer shards than workers.
    """

    def __init__(
        self, folder: PathLike, tokenizer: Any, worker: int = 0, workers: int = 1
    ) -> None:
        check_whole(0, worker=worker)
        check_whole(worker + 1, workers=workers)
        self.folder = Path(folder)
        if not (self.folder / INDEX).exists():
            raise ValueError(
                f"{self.folder}: no {INDEX}, so it is no folder of tokens that is "
                "whole. Pass files of texts or what `recipes.tokenize_corpus` has "
                "finished; one that was stopped resumes under the same flags."
            )
        self._index = read_index(self.folder / INDEX)
        self._index.refuse_another_tokenizer(self.folder, tokenizer.fingerprint())
        self._shards = self._index.shards[worker::workers]
        if len(self._index.shards) < workers:
            raise ValueError(
                f"{self.folder}: {len(self._index.shards)} shards are too few for "
                f"{workers} workers. Tokenize the corpus again with a smaller "
                "`--texts_per_shard`."
            )
        for shard in self._shards:
            self._check_size(shard)
        self._rows_before = _sums_before(shard.rows for shard in self._shards)
        self._tokens_before = _sums_before(shard.tokens for shard in self._shards)
        self.rows, self.tokens = self._rows_before[-1], self._tokens_before[-1]
        self._held: tuple[int, TokenRows] | None = None

    def read(self, first: int, last: int) -> TokenRows:
        """Reads texts `first` to `last`, without the latter.

        Args:
            first: int, number of a text.
            last: int, greater; at most `rows`.

        Raises:
            ValueError: if a shard is missing or damaged; it names the file.
        """
        parts = []
        number = bisect.bisect_right(self._rows_before, first) - 1
        while first < last:
            begin, end = self._rows_before[number : number + 2]
            until = min(last, end)
            parts.append(self._shard(number).part(first - begin, until - begin))
            first, number = until, number + 1
        return TokenRows.joined(parts)

    def tokens_before(self, row: int) -> int:
        """Counts the ids of the texts before text `row`; reads one shard at most."""
        number = bisect.bisect_right(self._rows_before, row) - 1
        before, inside = self._tokens_before[number], row - self._rows_before[number]
        return before + int(self._shard(number).splits[inside]) if inside else before

    def _shard(self, number: int) -> TokenRows:
        held = self._held  # Another thread may be at another shard.
        if held is None or held[0] != number:
            held = self._held = (number, self._read(self._shards[number]))
        return held[1]

    def _read(self, shard: Shard) -> TokenRows:
        self._check_size(shard)
        path = self.folder / shard.name
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != shard.sha256:
            raise ValueError(
                f"{path}: damaged, its SHA-256 is not that of {INDEX}. Copy the file "
                f"again from where it is whole. {REMEDY}"
            )
        rows = rows_of_records(content, self._index.dtype)
        if (len(rows), len(rows.values)) != (shard.rows, shard.tokens):
            raise ValueError(
                f"{path}: expected {shard.rows} texts of {shard.tokens} tokens by "
                f"{INDEX}, found {len(rows)} of {len(rows.values)}. {REMEDY}"
            )
        return rows

    def _check_size(self, shard: Shard) -> None:
        path = self.folder / shard.name
        if not path.is_file():
            raise ValueError(
                f"{path}: no such file, but {INDEX} names it. Copy it again from where "
                f"it is whole. {REMEDY}"
            )
        if (size := path.stat().st_size) != shard.bytes:
            raise ValueError(
                f"{path}: expected {shard.bytes} bytes by {INDEX}, found {size}. Copy "
                f"it again from where it is whole. {REMEDY}"
            )


def _sums_before(numbers: Any) -> list[int]:
    return list(itertools.accumulate(numbers, initial=0))
