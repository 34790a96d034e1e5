"""`Column`: labels as users pass them, and how messages call each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from siatl_keras.data import Examples
from siatl_keras.inputs.rows import is_missing, rows_of


@dataclass(frozen=True)
class Column:
    """Labels of texts, of an argument or of a file.

    Attributes:
        values: what holds them, a label for each text.
        argument: name of the argument, or path of the file.
        lines: of a file, the line that each label stands in.
    """

    values: Any
    argument: str
    lines: Sequence[int] | None = None

    @classmethod
    def of_file(cls, examples: Examples) -> Column:
        """Takes the labels of a file.

        Args:
            examples: what `siatl_keras.data.read_examples` returns.
        """
        return cls(examples.labels, examples.path, examples.lines)

    @property
    def is_file(self) -> bool:
        """Whether the labels are a file's: strings, stripped, in Unicode's form NFC."""
        return self.lines is not None

    @property
    def name(self) -> str:
        """How messages call all of it."""
        return self.argument if self.is_file else f"`{self.argument}`"

    def place(self, row: int) -> str:
        """Says where a label stands.

        Args:
            row: int, from 0.
        """
        if self.lines is not None:
            return f"{self.argument}, line {self.lines[row]}"
        return f"`{self.argument}`, row {row}"

    def rows(self) -> list[Any]:
        """Lists the labels; those of a `[texts, 1]` array as one column.

        Raises:
            ValueError: if they are no column, or one is missing.
        """
        values = self.values
        shape: Any = getattr(values, "shape", ())
        if len(shape) == 2 and shape[1] == 1:
            values = np.asarray(values)[:, 0]
        rows = [
            value.decode("utf-8", "replace") if isinstance(value, bytes) else value
            for value in rows_of(values, self.argument)
        ]
        for row, value in enumerate(rows):
            if is_missing(value):
                raise ValueError(
                    f"{self.place(row)}: there is no label, but {value!r}. Drop the "
                    "row, or label it."
                )
        return rows
