"""`choose_columns`: which columns of a file hold texts and labels.

What is named is taken, and what nothing tells apart is asked for: a wrong column would
train without a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from siatl_keras.data.columns import Columns
from siatl_keras.data.excerpt import excerpt

# Of a file, which are looked at.
SAMPLE = 200
# Columns that are listed where none can be chosen.
SHOWN = 10
# Names that people give to such columns, the usual one first.
TEXT_NAMES = (
    *("text", "texts", "sentence", "utterance", "message", "tweet", "review"),
    *("comment", "content", "body", "document", "question", "query"),
)
LABEL_NAMES = (
    *("label", "labels", "class", "category", "target", "intent", "sentiment"),
    *("emotion", "topic", "stars", "rating", "tag", "y"),
)
# Words of a text, on average, that tell it from names and codes; and how many times as
# long as in any other column they are.
WORDS, TIMES_AS_LONG = 3.0, 3.0
# Days in figures, with or without a time behind.
DATE = re.compile(
    r"\s*(\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4})\b"
)


@dataclass(frozen=True)
class _Sample:
    """The first values of a column.

    Attributes:
        name: its name.
        values: str, as many as records were looked at and have it.
    """

    name: str
    values: list[str]

    @property
    def is_called(self) -> str:
        return self.name.rpartition(".")[2].strip().casefold()  # Of `data.text`, text.

    @property
    def length(self) -> float:
        """The mean number of characters."""
        return sum(map(len, self.values)) / max(1, len(self.values))

    @property
    def reads_like_text(self) -> bool:
        words = sum(len(value.split()) for value in self.values)
        return words >= WORDS * len(self.values) > 0

    @property
    def repeats(self) -> bool:
        """Whether values come again as classes do, not as all the same or as dates."""
        different = set(self.values)
        if all(map(DATE.match, different)):
            return False
        return 2 <= len(different) <= len(self.values) / 2


def choose_columns(
    path: str, columns: Columns, names: Sequence[str], records: Sequence[dict[str, Any]]
) -> Columns:
    """Chooses the columns that have not been named.

    The text's is the one called "text", else the only one with another of
    `TEXT_NAMES`, else the only one that reads like texts, or whose texts are by far
    the longest. The label's is the one called "label", else the only one with another
    of `LABEL_NAMES`, else the only other one whose values come again and again,
    and are no dates.

    Args:
        path: the file, for messages.
        columns: those that have been named, `None` for what is to be chosen.
        names: of the file's columns.
        records: the first ones of the file.

    Returns:
        `Columns`, all named.

    Raises:
        ValueError: if none, or more than one, can be meant; lists the columns.
    """
    samples = [
        _Sample(name, [str(row[name]) for row in records if row.get(name) is not None])
        for name in dict.fromkeys(names)
        if name not in columns.names
    ]
    label = columns.label
    if label is None:
        label = _named(samples, LABEL_NAMES)
    text = columns.text
    if text is None:
        others = [sample for sample in samples if sample.name != label]
        text = _named(others, TEXT_NAMES) or _longest(others)
        if text is None:
            beside = f"; `pair_column` is {columns.pair!r}" if columns.pair else ""
            raise _unclear(path, samples, "texts", "`text_column`" + beside)
    if label is None:
        others = [sample for sample in samples if sample.name != text]
        repeating = [
            each for each in others if each.repeats and not each.reads_like_text
        ]
        if len(repeating) != 1:
            raise _unclear(path, others, "labels", "`label_column`")
        label = repeating[0].name
    return replace(columns, text=text, label=label)


def _named(samples: Sequence[_Sample], known: Sequence[str]) -> str | None:
    """Returns the usual name, or the only other one that is known."""
    found = [sample for sample in samples if sample.is_called in known]
    usual = [sample for sample in found if sample.is_called == known[0]]
    chosen = usual or found
    return chosen[0].name if len(chosen) == 1 else None


def _longest(samples: Sequence[_Sample]) -> str | None:
    """Returns the only column of texts, or that of the longest by far."""
    texts = [sample for sample in samples if sample.reads_like_text]
    texts.sort(key=lambda sample: sample.length, reverse=True)
    if len(texts) > 1 and texts[0].length < TIMES_AS_LONG * texts[1].length:
        return None
    return texts[0].name if texts else None


def _unclear(
    path: str, samples: Sequence[_Sample], what: str, remedy: str
) -> ValueError:
    shown = "".join(
        f"\n  {excerpt(sample.name)}: {', '.join(map(excerpt, sample.values[:1]))}"
        for sample in samples[:SHOWN]
    )
    more = f"\n  and {len(samples) - SHOWN} more" if len(samples) > SHOWN else ""
    return ValueError(
        f"{path}: which column holds the {what} is not clear. Name it with {remedy}. "
        f"Its columns, and how they begin:{shown}{more}"
    )
