"""`Predictions`: what a classifier said of each labelled text, kept in a file.

Needed beside the figures of a report, because whether one method beats another on a
test set can only be judged text by text (`paired_bootstrap`).
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from siatl_keras.atomic import write_text

# The column of the texts, and that of the second ones of pairs.
TEXT, SECOND = "text", "text_pair"
# More than a text can have that was read from a file.
LONGEST_FIELD = 2**25
# The columns of truth and answer: a class or level, several labels, a number.
_CLASSES = ("label", "predicted_label")
_LABELS = ("labels", "predicted_labels")
_NUMBERS = ("value", "predicted_value")


@dataclass(frozen=True)
class Predictions:
    """Truth, answers and the probabilities behind them, a row per text, in order.

    The file is a table, tabs between its columns and fields quoted where they must be,
    as spreadsheets and pandas read it: `text`, of pairs also `text_pair`; then `label`
    and `predicted_label`, `labels` and `predicted_labels` with commas between, or
    `value` and `predicted_value`; then, but for numbers, a column for each label, by
    its name, with its probability.

    Attributes:
        targets: what is true: int `[texts]`, 0 or 1 `[texts, labels]`, or float
            `[texts]`.
        predicted: what was answered, of the same shape.
        scores: float `[texts, classes]`, probabilities; `[texts, 0]` for numbers.
        names: of the classes or labels; by default their numbers.
    """

    targets: np.ndarray
    predicted: np.ndarray
    scores: np.ndarray
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.names:
            numbers = tuple(map(str, range(self.scores.shape[1])))
            object.__setattr__(self, "names", numbers)

    def write(self, path: str | os.PathLike[str], texts: Sequence[Any]) -> None:
        """Writes the file, exactly: `read` gives equal arrays.

        Args:
            path: a .tsv file.
            texts: str, or tuples of two.
        """
        rows = [(text,) if isinstance(text, str) else tuple(text) for text in texts]
        heads = (TEXT, SECOND)[: len(rows[0])] if rows else (TEXT,)
        lines = [[*heads, *self._columns, *self.names]]
        for row, true, said, scores in zip(
            rows, self.targets, self.predicted, self.scores, strict=True
        ):
            answers = [self.name(true), self.name(said)]
            lines.append([*row, *answers, *(repr(float(p)) for p in scores)])
        write_text(
            path, "".join("\t".join(map(_quoted, line)) + "\n" for line in lines)
        )

    @property
    def _columns(self) -> tuple[str, str]:
        if self.targets.ndim == 2:
            return _LABELS
        return _NUMBERS if self.targets.dtype.kind == "f" else _CLASSES

    def name(self, value: Any) -> str:
        """Writes a target or an answer as the file has it: a label by its name."""
        if self._columns == _NUMBERS:
            return repr(float(value))
        if self._columns == _CLASSES:
            return self.names[int(value)]
        return ",".join(self.names[label] for label in np.flatnonzero(value))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Predictions:
        """Reads what `write` has written.

        Args:
            path: the file.

        Raises:
            ValueError: if it is not such a file; the message names the line.
        """
        # A byte that is not UTF-8 is no part of a number: its line is named below.
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            csv.field_size_limit(LONGEST_FIELD)
            reader = csv.reader(file, delimiter="\t", strict=True)
            numbered: list[tuple[int, list[str]]] = []
            begins = 1
            try:
                for row in reader:
                    numbered.append((begins, row))
                    begins = reader.line_num + 1
            except csv.Error as error:
                raise ValueError(
                    f"{path}, line {begins}: {error}. Run the evaluation again."
                ) from error
        header = numbered[0][1] if numbered else []
        begin = 2 if header[1:2] == [SECOND] else 1
        columns, names = tuple(header[begin : begin + 2]), tuple(header[begin + 2 :])
        known = columns in (_CLASSES, _LABELS, _NUMBERS) and header[:1] == [TEXT]
        if not known or len(numbered) < 2 or (columns != _NUMBERS and len(names) < 2):
            raise ValueError(
                f"{path}, line 1: expected the columns text, label, predicted_label "
                "and one for each label (or labels, or value) and a line per text, "
                f"found {' '.join(header)[:60]!r} and {max(0, len(numbered) - 1)} "
                "lines. Run the evaluation again."
            )
        rows = [
            _row(columns, names, row[begin:], f"{path}, line {number}")
            for number, row in numbered[1:]
        ]
        truth, said, values = (np.array(side) for side in zip(*rows, strict=True))
        return cls(truth, said, values.reshape(len(rows), len(names)), names)


def _quoted(field: str) -> str:
    # Python's writer leaves a carriage return bare, which its reader takes for an end.
    if any(character in field for character in '\t\r\n"'):
        return '"' + field.replace('"', '""') + '"'
    return field


def _row(
    columns: tuple[str, ...], names: tuple[str, ...], row: list[str], place: str
) -> tuple[Any, Any, list[float]]:
    try:
        if len(row) != 2 + len(names):
            raise ValueError(f"{len(row)} fields, not {2 + len(names)}")
        truth, said = (_value(columns, names, field) for field in row[:2])
        return truth, said, [float(score) for score in row[2:]]
    except ValueError as error:
        raise ValueError(
            f"{place}: expected {columns[0]}, {columns[1]} and {len(names)} "
            f"probabilities ({error}). Run the evaluation again."
        ) from error


def _value(columns: tuple[str, ...], names: tuple[str, ...], field: str) -> Any:
    """Returns a class's number, 0 or 1 for each label, or a number."""
    if columns == _NUMBERS:
        return float(field)
    said = [field] if columns == _CLASSES else field.split(",") if field else []
    for name in said:
        if name not in names:
            raise ValueError(f"the label {name[:40]!r} has no column")
    if columns == _CLASSES:
        return names.index(field)
    return [int(name in said) for name in names]
