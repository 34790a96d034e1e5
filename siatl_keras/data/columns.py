"""`Columns`: what is read of each record of a file, under which names."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from siatl_keras.data.excerpt import listed
from siatl_keras.data.row_error import RowError

_OR_A_LABEL = ", a finite number, or a list of strings without commas"


@dataclass(frozen=True)
class Columns:
    """The columns that are read.

    Attributes:
        text: of the text, or of a pair's first; `None` to be chosen, see
            `choose_columns`.
        pair: of a pair's second text; "" for no pairs.
        label: of the label; `None` to be chosen, "" where none is read.

    Raises:
        ValueError: if both texts of a pair are of one column.
    """

    text: str | None
    pair: str = ""
    label: str | None = ""

    def __post_init__(self) -> None:
        for argument, name in (
            ("text_column", self.text),
            ("pair_column", self.pair),
            ("label_column", self.label),
        ):
            is_name = name is None or isinstance(name, str)
            if not is_name or (argument == "text_column" and name == ""):
                raise ValueError(
                    f"`{argument}` must be the name of a column. Received: {name!r}."
                )
        if self.pair and self.pair == self.text:
            raise ValueError(
                "`pair_column` must be another column than `text_column`. Received: "
                f"{self.pair!r} for both."
            )

    @property
    def names(self) -> list[str]:
        """All columns that have been named."""
        return [name for name in (self.text, self.pair, self.label) if name]

    @property
    def arguments(self) -> str:
        """The arguments that name columns, for messages."""
        pair = ["`pair_column`"] * bool(self.pair)
        *others, last = ["`text_column`", *pair, "`label_column`"]
        return f"{', '.join(others)} or {last}"

    def check_header(self, path: str, header: Sequence[str]) -> None:
        """Raises a `ValueError` unless a table has each column once.

        Args:
            path: the file, for the message.
            header: names of its columns.
        """
        for name in self.names:
            if name not in header:
                raise ValueError(
                    f"{path}, line 1: no column {name!r}; found {listed(header)}. Name "
                    f"the right one with {self.arguments}, or add a header line."
                )
            if header.count(name) > 1:
                raise ValueError(
                    f"{path}, line 1: {header.count(name)} columns are called "
                    f"{name!r}. Rename all but one."
                )

    def of(self, path: str, number: int, record: dict[str, Any]) -> tuple[Any, str]:
        """Returns a record's text, or the tuple of both, and its label.

        Args:
            path: the file, for messages.
            number: the line that the record begins at.
            record: its fields by name.

        Raises:
            RowError: if one is absent, or neither a string nor what may stand for a
                label.
        """
        text: Any = self._field(path, number, record, self.text or "")
        if self.pair:
            text = text, self._field(path, number, record, self.pair)
        label = self._field(path, number, record, self.label) if self.label else ""
        return text, label

    def _field(self, path: str, number: int, record: dict[str, Any], name: str) -> str:
        value = record.get(name)  # The usual field, without further calls.
        if type(value) is str and value.isascii():
            return value
        if name not in record:
            raise RowError(
                path,
                number,
                f"no key {name!r}; found {listed(record)}",
                f"Name the right one with {self.arguments}.",
            )
        text = _as_label(value) if name == self.label else value
        if not isinstance(text, str):
            shown = json.dumps(value, default=str)[:40]
            what = f"{name!r} must be a string"
            what += _OR_A_LABEL if name == self.label else ""
            raise RowError(path, number, what, f"Found {shown}.")
        return _whole(path, number, name, text)


def _as_label(value: Any) -> str | None:
    """Returns a label as a text file has it; `None` if it is none."""
    if isinstance(value, list):
        is_labels = all(isinstance(one, str) and "," not in one for one in value)
        return ",".join(value) if is_labels else None
    if type(value) is float and value.is_integer():
        value = int(value)  # As table libraries write whole numbers.
    # `true` is an int to Python.
    is_number = type(value) in (int, float) and math.isfinite(value)
    return str(value) if is_number else value if isinstance(value, str) else None


def _whole(path: str, number: int, column: str, value: str) -> str:
    """Returns `value` unless it holds half a character, which has no UTF-8."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        what = (
            f"{column!r} holds {ascii(value[error.start])}, half of a character that "
            "was cut in two"
        )
        raise RowError(path, number, what, "Remove it.") from error
    return value
