r"""`Reader`: texts to the token ids that a model takes, by its tokenizer.json.

Needs Python's standard library and NumPy, and is made to be ported: all patterns and
tables are in the file. The patterns are for engines that look for the leftmost match,
try alternatives in order, and whose \b knows ASCII words only (hence `re.ASCII`).

Ids are those of the exported model's own preprocessing, except for characters that this
Python's Unicode tables do not know as TensorFlow's do: lower case by Unicode 13, normal
forms by Unicode 16. Python 3.11 has Unicode 14 for both and differs on 138 characters,
such as Vithkuqi capitals and outlined Latin letters for computer graphics.

Where a vocabulary is of words, the rest of a word of more than 500 characters is not
read: Python would take the square of its length.

Example:
    reader = Reader.from_file("tokenizer.json")
    inputs = reader.read(["so glad", "what a day"])
    inputs["token_ids"]  # int32 [batch, time]
"""

import functools
import itertools
import json
import os
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# Of words met before, the ids are kept: of so many, and of none that is longer.
MOST_WORDS, LONGEST_WORD = 50_000, 50

_TOO_LONG = re.compile(r"(\S{500})\S+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Reader:
    """Reads texts as the model's preprocessing does.

    Args:
        tokenizer: dict, what the tokenizer file holds.

    Example:
    >>> reader = Reader({
    ...     "kind": "words", "vocabulary": ["<pad>", "<s>", "</s>", "<unk>", "day"],
    ...     "unknown": 3, "steps": [], "word_steps": [{"do": "lower"}],
    ...     "start": 1, "end": 2, "pad": 0, "separator": [], "length": None,
    ...     "pairs": False, "words": False, "most_tokens": 80, "most_read": 80})
    >>> reader.read(["Good day"])["token_ids"].tolist()
    [[1, 3, 4, 2]]
    """

    def __init__(self, tokenizer: dict[str, Any]) -> None:
        self.settings = tokenizer
        kind = _Words if tokenizer["kind"] == "words" else _BytePairs
        self._ids = kind(tokenizer).ids

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> "Reader":
        """Makes a reader of a tokenizer file.

        Args:
            path: of the tokenizer.json.
        """
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file))

    def read(self, texts: Sequence[Any]) -> dict[str, np.ndarray]:
        """Tokenizes, cuts and pads texts.

        Args:
            texts: list of str; of tuples of two where the model takes pairs.

        Returns:
            `token_ids` and `padding_mask` (1, and 0 at padding), int32 `[batch, time]`;
            where the model scores words, `words` too, int32 `[batch, words]`, -1 at
            padding.

        Raises:
            ValueError: if a row is not what the model takes.
        """
        settings = self.settings
        check_texts(texts, settings["pairs"])
        rows = [self._row(text) for text in texts]
        read = [row[: settings["most_read"]] for row in rows]
        result = {
            "token_ids": _padded(read, settings["pad"], settings["length"]),
            "padding_mask": _padded(
                [[1] * len(row) for row in read], 0, settings["length"]
            ),
        }
        if settings["words"]:
            result["words"] = _padded(rows, -1)
        return result

    def _row(self, text: Any) -> list[int]:
        settings = self.settings
        limit = settings["most_tokens"]
        start = [] if settings["start"] is None else [settings["start"]]
        end = [] if settings["end"] is None else [settings["end"]]
        if settings["pairs"]:
            ids = self._pair(text[0], text[1], limit - len(start))
        else:
            ids = self._ids(text, limit)
        return (start + ids + end)[:limit]

    def _pair(self, first: str, second: str, limit: int) -> list[int]:
        """Joins two texts; each may have half of the room, and what is left over."""
        separator = self.settings["separator"]
        room = limit - len(separator)
        a, b = (self._ids(text, limit) for text in (first, second))
        kept = min(len(a), max(room - len(b), room - room // 2))
        return a[:kept] + separator + b[: room - kept]


def check_texts(texts: Sequence[Any], pairs: bool) -> None:
    """Refuses what a model does not take.

    Args:
        texts: see `Reader.read`.
        pairs: whether the model takes pairs.

    Raises:
        ValueError: names the first row that is nothing of its kind, from 1.
    """
    if isinstance(texts, str):
        raise ValueError(f"`texts` must be a list of texts. Received: {texts!r:.60}")
    what = "a tuple of two strings" if pairs else "a string"
    for number, row in enumerate(texts, start=1):
        parts = row if pairs and isinstance(row, (tuple, list)) else [row]
        if len(parts) != 1 + pairs or not all(isinstance(part, str) for part in parts):
            raise ValueError(f"Row {number} must be {what}. Received: {row!r:.60}")
        if any(_SURROGATE.search(part) for part in parts):
            raise ValueError(
                f"Row {number} has half of a surrogate pair. Received: {row!r:.60}"
            )


def _padded(rows: list[list[int]], value: int, length: int | None = None) -> np.ndarray:
    """Pads on the right, to `length`, or to the longest row and at least one step."""
    length = length or max([1, *map(len, rows)])
    padded = np.full([len(rows), length], value, np.int32)
    for place, row in zip(padded, rows, strict=True):
        place[: len(row)] = row
    return padded


class _Words:
    """Words that a normalizer leaves between spaces, looked up."""

    def __init__(self, tokenizer: dict[str, Any]) -> None:
        self._steps = [_step(step) for step in tokenizer["steps"]]
        self._word_steps = [_step(step) for step in tokenizer["word_steps"]]
        self._vocabulary = {word: i for i, word in enumerate(tokenizer["vocabulary"])}
        self._unknown = tokenizer["unknown"]
        self._ids_of = _remembered(self._look_up)

    def ids(self, text: str, most: int) -> list[int]:
        text = _TOO_LONG.sub(r"\1", text)
        for step in self._steps:
            text = step(text)
        ids = (number for word in text.split() for number in self._ids_of(word))
        return list(itertools.islice(ids, most))

    def _look_up(self, word: str) -> list[int]:
        for step in self._word_steps:
            word = step(word)
        return [self._vocabulary.get(part, self._unknown) for part in word.split()]


def _remembered(function: Callable[[str], list[int]]) -> Callable[[str], list[int]]:
    kept = functools.lru_cache(MOST_WORDS)(function)
    return lambda word: (kept if len(word) <= LONGEST_WORD else function)(word)


def _step(step: dict[str, Any]) -> Callable[[str], str]:
    """Makes a function of a step of the normalizer."""
    return _STEPS[step["do"]](step)


def _replace(step: dict[str, Any]) -> Callable[[str], str]:
    where = None if step["where"] is None else _compiled(step["where"])
    rules = [(_compiled(find), write) for find, write in step["rules"]]

    def replace(text: str) -> str:
        if where is None or where.search(text):
            for find, write in rules:
                text = find.sub(write, text)
        return text

    return replace


def _characters(step: dict[str, Any]) -> Callable[[str], str]:
    def character(match: re.Match[str]) -> str:
        number = int(match[1])
        is_one = number < 0xD800 or 0xE000 <= number <= 0x10FFFF
        return chr(number) if is_one else "\ufffd"

    find = _compiled(step["find"])
    return lambda text: find.sub(character, text)


def _inside(step: dict[str, Any]) -> Callable[[str], str]:
    steps = [_step(each) for each in step["steps"]]

    def change(match: re.Match[str]) -> str:
        text = match[1]
        for each in steps:
            text = each(text)
        return step["before"] + text + step["after"]

    find = _compiled(step["find"])
    return lambda text: find.sub(change, text)


_STEPS: dict[str, Callable[[dict[str, Any]], Callable[[str], str]]] = {
    "replace": _replace,
    "characters": _characters,
    "inside": _inside,
    "nfkc": lambda step: lambda text: unicodedata.normalize("NFKC", text),
    "lower": lambda step: str.lower,
}


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


class _BytePairs:
    """Words split into the longest known pieces of bytes, by merging pairs."""

    def __init__(self, tokenizer: dict[str, Any]) -> None:
        self._file = tokenizer
        self._marks = [(_compiled(find), write) for find, write in tokenizer["marks"]]
        self._tokens = [
            (_compiled(f"({re.escape(token)})"), token, stand_in)
            for token, stand_in in tokenizer["unsplittable"]
        ]
        self._splits = [_compiled(f"({pattern})") for pattern in tokenizer["splits"]]
        self._names = {token for token, _ in tokenizer["unsplittable"]}
        self._ranks = {pair: rank for rank, pair in enumerate(tokenizer["merges"])}
        self._ids_of = _remembered(self._merged)

    def ids(self, text: str, most: int) -> list[int]:
        ids = (number for word in self._words(text) for number in self._ids_of(word))
        return list(itertools.islice(ids, most))

    def _words(self, text: str) -> list[str]:
        text = text.replace("\0", "")
        cut = text.encode()[: self._file["most_bytes"]].decode(errors="ignore")
        text = " " + cut if self._file["add_prefix_space"] else cut
        for find, write in self._marks:
            text = find.sub(write, text)
        pieces = [text]
        for pattern, token, stand_in in self._tokens:
            pieces = [
                stand_in if part == token else part for part in _split(pattern, pieces)
            ]
        for pattern in self._splits:
            pieces = _split(pattern, pieces)
        for _, token, stand_in in self._tokens:
            pieces = [piece.replace(stand_in, token) for piece in pieces]
        return [piece for piece in pieces if piece != self._file["mark"]]

    def _merged(self, word: str) -> list[int]:
        """Merges neighbours, those of the lowest rank at once, in each piece of it."""
        if word in self._names and word in self._file["vocabulary"]:
            return [self._file["vocabulary"][word]]
        parts = [self._file["bytes"][byte] for byte in word.encode()]
        longest = self._file["longest_piece"]
        starts = range(0, len(parts), longest)
        pieces = (self._joined(parts[start : start + longest]) for start in starts)
        return [number for piece in pieces for number in piece]

    def _joined(self, parts: list[str]) -> list[int]:
        while len(parts) > 1:
            pairs = itertools.pairwise(parts)
            ranks = [self._ranks.get(f"{a} {b}", len(self._ranks)) for a, b in pairs]
            best = min(ranks)
            if best == len(self._ranks):
                break
            before, parts, i = parts, [], 0
            while i < len(before):
                width = 2 if i < len(ranks) and ranks[i] == best else 1
                parts.append("".join(before[i : i + width]))
                i += width
        return [self._file["vocabulary"].get(part, -1) for part in parts]


def _split(pattern: re.Pattern[str], pieces: list[str]) -> list[str]:
    """Splits pieces, keeping what the pattern's one group finds."""
    return [part for piece in pieces for part in pattern.split(piece) if part]
