"""`Predictions`: what a classifier said of each labelled text, kept in a file.

Needed beside the figures of a `Report`, because whether one method beats another on a
test set can only be judged text by text (`paired_bootstrap`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from siatl_keras.atomic import write_text


@dataclass(frozen=True)
class Predictions:
    """True classes and predicted probabilities, one row per text, in the file's order.

    The file has a header and a line per text: `label_id`, the number of the true class,
    then `probability_0`, `probability_1`, …, by class number, separated by tabs.

    Attributes:
        labels: int `[texts]`, numbers of the true classes.
        probabilities: float `[texts, classes]`.
    """

    labels: np.ndarray
    probabilities: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """The most probable classes, int `[texts]`."""
        return self.probabilities.argmax(-1)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the file, exactly: `read` gives equal arrays.

        Args:
            path: a .tsv file.
        """
        classes = range(self.probabilities.shape[1])
        lines = ["\t".join(["label_id", *(f"probability_{i}" for i in classes)])]
        for label, row in zip(self.labels, self.probabilities, strict=True):
            lines.append("\t".join([str(int(label)), *(repr(float(p)) for p in row)]))
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
        fields = len(header.split("\t"))
        if not header.startswith("label_id\tprobability_0\tprobability_1") or not lines:
            raise ValueError(
                f"{path}, line 1: expected the columns label_id, probability_0, "
                f"probability_1, … and a line per text, found {header[:60]!r} and "
                f"{len(lines)} lines. Run the evaluation again."
            )
        labels, probabilities = [], []
        for number, line in enumerate(lines, start=2):
            first, *rest = line.split("\t")
            try:
                if len(rest) + 1 != fields:
                    raise ValueError(f"{len(rest) + 1} fields, not {fields}")
                labels.append(int(first))
                probabilities.append([float(value) for value in rest])
            except ValueError as error:
                raise ValueError(
                    f"{path}, line {number}: expected a class number and {fields - 1} "
                    f"probabilities ({error}). Run the evaluation again."
                ) from error
        return cls(np.array(labels), np.array(probabilities))
