"""`DataReport`: what a run's texts are, and what about them is doubtful.

Most of what is called a bad model is bad data, which is seen before training.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from siatl_keras.data import Examples
from siatl_keras.data.row_error import named_lines
from siatl_keras.evaluation.mistakes import shown_text
from siatl_keras.inputs import Column
from siatl_keras.presets.named_models import MODELS, SHIPPED
from siatl_keras.tasks import Task

# Texts of a label below which little can be learned of it, and how many times as many
# another one may have.
FEW, IMBALANCE = 5, 10
# Of labels, how many the text names.
NAMED = 8
# Texts that are looked at to tell the language, and characters that it takes.
SAMPLED, CHARACTERS = 400, 300


@dataclass(frozen=True)
class Part:
    """One of a run's files, or what is held out of it.

    Attributes:
        name: str, "train", "held_out", "validation" or "test".
        path: str, the file.
        texts: int, how many.
        labels: dict of label to number of its texts; empty for numbers.
        words: shortest, median and longest text, in words.
    """

    name: str
    path: str
    texts: int
    labels: dict[str, int]
    words: tuple[int, int, int]


@dataclass(frozen=True)
class DataReport:
    """What a run's texts are.

    Attributes:
        parts: the files.
        language: the ISO 639-1 code of most of the training texts; "" where there is
            too little to tell it.
        doubts: what is doubtful, in sentences.
    """

    parts: tuple[Part, ...]
    language: str
    doubts: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns it for JSON."""
        parts = [{**asdict(part), "words": list(part.words)} for part in self.parts]
        return {"parts": parts, "language": self.language, "doubts": list(self.doubts)}

    def to_text(self) -> str:
        """Returns it as lines."""
        lines = []
        for part in self.parts:
            shortest, median, longest = part.words
            lines.append(
                f"{part.name.replace('_', '-')}: {part.texts:,} texts of {shortest} to "
                f"{longest} words, half of them up to {median} ({part.path})"
            )
            if part.labels:
                lines.append(f"  {_shares(part.labels)}")
        if self.language:
            lines.append(f"language: {self.language}")
        lines += [f"warning: {doubt}" for doubt in self.doubts]
        return "\n".join(lines) + "\n"


def data_report(parts: dict[str, Examples], task: Task, lm: str) -> DataReport:
    """Looks at a run's texts.

    Args:
        parts: the files by name, "train" among them.
        task: what is learned.
        lm: the language model, by its name or preset.
    """
    train = parts["train"]
    found = tuple(_part(name, each, task) for name, each in parts.items())
    language = language_of(train.texts)
    doubts = [
        *_repeated(train),
        *_shared(parts),
        *_rare(found),
        *_foreign(language, lm),
    ]
    return DataReport(found, language, tuple(doubts))


def _part(name: str, examples: Examples, task: Task) -> Part:
    lengths = [len(shown_text(text).split()) for text in examples.texts]
    counts: dict[str, int] = {}
    names = task.label_names
    if names:
        targets = task.encode(Column.of_file(examples))
        if targets.ndim == 1:
            numbers = np.bincount(targets, minlength=len(names))
        else:
            numbers = targets.sum(0)
        counts = {
            label: int(number) for label, number in zip(names, numbers, strict=True)
        }
    words = (min(lengths), int(np.median(lengths)), max(lengths))
    return Part(name, examples.path, len(lengths), counts, words)


def _shares(counts: dict[str, int]) -> str:
    """Names the labels that most texts have, and how many."""
    total = max(1, sum(counts.values()))
    most = sorted(counts.items(), key=lambda item: -item[1])
    shown = [f"{name} {count:,} ({count / total:.0%})" for name, count in most[:NAMED]]
    if len(most) > NAMED:
        last, least = most[-1]
        shown.append(f"… and {len(most) - NAMED} more, the last {last} {least:,}")
    return ", ".join(shown)


def _key(text: Any) -> str:
    """Returns what two texts share that differ in case and white space alone."""
    return " ".join(shown_text(text).casefold().split())


def _repeated(train: Examples) -> list[str]:
    """Finds texts that occur again, with the same label and with another."""
    rows = defaultdict(list)
    for row, text in enumerate(train.texts):
        rows[_key(text)].append(row)
    again: list[int] = []
    torn: list[int] = []
    for same in rows.values():
        if len({train.labels[row] for row in same}) > 1:
            torn += same
        else:
            again += same[1:]
    doubts = []
    if again:
        doubts.append(
            f"{_texts(again)} of {train.path} not for the first time, with the same "
            f"label: {_at(train, again)}. Where one is held out, it looks too easy"
        )
    if torn:
        doubts.append(
            f"{_texts(torn)} of {train.path} also with another label: "
            f"{_at(train, torn)}"
        )
    return doubts


def _shared(parts: dict[str, Examples]) -> list[str]:
    """Finds texts to judge by that are among those for training."""
    known = {_key(text) for text in parts["train"].texts}
    doubts = []
    for name in ("validation", "test"):
        if name in parts:
            part = parts[name]
            rows = [row for row, text in enumerate(part.texts) if _key(text) in known]
            if rows:
                doubts.append(
                    f"{_texts(rows)} of {part.path} also in the training file: "
                    f"{_at(part, rows)}. The figures will look too good"
                )
    return doubts


def _rare(parts: Sequence[Part]) -> list[str]:
    """Finds labels of few texts, and of none where they are judged."""
    counts = parts[0].labels
    doubts = []
    few = [f"{name} {count}" for name, count in counts.items() if count < FEW]
    if few:
        doubts.append(f"labels of fewer than {FEW} training texts: {_some(few)}")
    elif counts and max(counts.values()) > IMBALANCE * min(counts.values()):
        least, most = (choose(counts, key=counts.__getitem__) for choose in (min, max))
        doubts.append(
            f"{most} has {counts[most]:,} texts and {least} {counts[least]:,}; "
            "--class_weight=balanced may help the rare ones"
        )
    for part in parts[1:]:
        none = [name for name, count in part.labels.items() if not count]
        if none:
            doubts.append(
                f"{part.path} has no text of {_some(none)}, whose F1 will count as 0"
            )
    return doubts


def _foreign(language: str, lm: str) -> list[str]:
    if language in ("", "en") or lm not in (*SHIPPED, *MODELS):
        return []
    return [
        f"the texts look like another language ({language}) than that of {lm}, English"
    ]


def language_of(texts: Sequence[Any]) -> str:
    """Tells the language of most texts.

    Args:
        texts: str, or tuples of two.

    Returns:
        its ISO 639-1 code; "" where there is too little text, or no room for the model
        that tells it, which is unpacked into the folder for temporary files.

    Example:
    >>> language_of(["Das Telefon ist gut, aber der Akku hält nicht lange."] * 9)
    'de'
    """
    import py3langid

    step = max(1, len(texts) // SAMPLED)
    joined, votes = "", Counter[str]()
    for text in texts[::step]:
        joined += " " + shown_text(text)[:CHARACTERS]
        # A single short text is easily taken for one of another language.
        if len(joined) >= CHARACTERS:
            try:
                votes[py3langid.classify(joined)[0]] += 1
            except OSError:
                return ""  # Not worth a run.
            joined = ""
    return votes.most_common(1)[0][0] if votes else ""


def _texts(rows: Sequence[int]) -> str:
    return "1 text" if len(rows) == 1 else f"{len(rows):,} texts"


def _at(examples: Examples, rows: Sequence[int]) -> str:
    return named_lines([examples.lines[row] for row in sorted(rows)])


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
