"""`Predictions`: what a classifier said of each labelled text, kept in a file.

Needed beside the figures of a report, because whether one method beats another on a
test set can only be judged text by text (`paired_bootstrap`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from siatl_keras.atomic import write_text


@dataclass(frozen=True)
class _Form:
    """How truth and answers of a kind stand in the file, and come back from it."""

    truth: str
    answer: str
    write: Callable[[Any], str]
    read: Callable[[str], Any]


_NUMBERS = _Form(
    "value",
    "predicted_value",
    lambda value: repr(float(value)),
    lambda text: float(text),
)
_CLASSES = _Form(
    "class", "predicted_class", lambda value: str(int(value)), lambda text: int(text)
)
_LABELS = _Form(
    "labels",
    "predicted_labels",
    lambda row: ",".join(str(label) for label in np.flatnonzero(row)),
    lambda text: [int(label) for label in text.split(",") if label],
)


@dataclass(frozen=True)
class Predictions:
    """Truth, answers and the scores behind them, a row per text, in the file's order.

    The file has a header and a line per text, separated by tabs: `class` and
    `predicted_class` by number, also of levels; `labels` and `predicted_labels`, their
    numbers with commas between; or `value` and `predicted_value`. Then, but for
    numbers, `score_0`, `score_1`, …: the probability of each class or label.

    Attributes:
        targets: what is true: int `[texts]`, 0 or 1 `[texts, labels]`, or float
            `[texts]`.
        predicted: what was answered, of the same shape.
        scores: float `[texts, classes]`; `[texts, 0]` for numbers.
    """

    targets: np.ndarray
    predicted: np.ndarray
    scores: np.ndarray

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the file, exactly: `read` gives equal arrays.

        Args:
            path: a .tsv file.
        """
        form = self._form
        scores = (f"score_{index}" for index in range(self.scores.shape[1]))
        lines = ["\t".join([form.truth, form.answer, *scores])]
        for true, said, row in zip(
            self.targets, self.predicted, self.scores, strict=True
        ):
            fields = [form.write(true), form.write(said)]
            lines.append("\t".join([*fields, *(repr(float(p)) for p in row)]))
        write_text(path, "\n".join(lines) + "\n")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Predictions:
        """Reads what `write` has written.

        Args:
            path: the file.

        Raises:
            ValueError: if it is not such a file; the message names the line.
        """
        # A byte that is not UTF-8 is no part of a number: its line is named below.
        with open(path, encoding="utf-8", errors="replace") as file:
            header, *lines = file.read().splitlines() or [""]
        columns = header.split("\t")
        scores = [f"score_{index}" for index in range(len(columns) - 2)]
        form = next(
            (
                form
                for form in (_CLASSES, _LABELS, _NUMBERS)
                if columns == [form.truth, form.answer, *scores]
            ),
            None,
        )
        if form is None or not lines or (form is not _NUMBERS and len(scores) < 2):
            raise ValueError(
                f"{path}, line 1: expected the columns class, predicted_class, "
                "score_0, score_1, … (or labels, or value) and a line per text, found "
                f"{header[:60]!r} and {len(lines)} lines. Run the evaluation again."
            )
        rows = [
            _row(form, line, len(columns), f"{path}, line {number}")
            for number, line in enumerate(lines, start=2)
        ]
        *sides, values = zip(*rows, strict=True)
        truth, said = (
            _as_matrix(side, len(scores), path) if form is _LABELS else np.array(side)
            for side in sides
        )
        shape = (len(rows), len(scores))
        return cls(truth, said, np.array(values).reshape(shape))

    @property
    def _form(self) -> _Form:
        if self.targets.ndim == 2:
            return _LABELS
        return _NUMBERS if self.targets.dtype.kind == "f" else _CLASSES


def _row(form: _Form, line: str, fields: int, place: str) -> tuple[Any, Any, Any]:
    parts = line.split("\t")
    try:
        if len(parts) != fields:
            raise ValueError(f"{len(parts)} fields, not {fields}")
        truth, answer, *scores = parts
        return form.read(truth), form.read(answer), [float(score) for score in scores]
    except ValueError as error:
        raise ValueError(
            f"{place}: expected {form.truth}, {form.answer} and {fields - 2} scores "
            f"({error}). Run the evaluation again."
        ) from error


def _as_matrix(rows: Any, size: int, path: str | os.PathLike[str]) -> np.ndarray:
    matrix = np.zeros((len(rows), size), int)
    for number, labels in enumerate(rows):
        if labels and not 0 <= min(labels) <= max(labels) < size:
            raise ValueError(
                f"{path}, line {number + 2}: the label {max(labels)} has no score. Run "
                "the evaluation again."
            )
        matrix[number, labels] = 1
    return matrix
