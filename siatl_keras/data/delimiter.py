"""`delimiter_of`: what separates the fields of a table, told from how it begins."""

from __future__ import annotations

import csv
from collections.abc import Sequence

# Comma, semicolon (where commas are decimal points), tab, bar.
DELIMITERS = (",", ";", "\t", "|")


def delimiter_of(lines: Sequence[str], usual: str) -> str:
    r"""Chooses the delimiter by which the column names and the first rows agree.

    Args:
        lines: the first lines of a file, with their ends.
        usual: the delimiter if others serve no better.

    Returns:
        one of `DELIMITERS`.

    Example:
    >>> delimiter_of(["text;label\n", "good, really;1\n"], usual=",")
    ';'
    """
    others = [delimiter for delimiter in DELIMITERS if delimiter != usual]
    split = {delimiter: _fields(lines, delimiter) for delimiter in (usual, *others)}
    several = [each for each, counts in split.items() if counts and counts[0] > 1]
    agreeing = [each for each in several if len(set(split[each])) == 1]
    return next(iter(agreeing or several), usual)


def _fields(lines: Sequence[str], delimiter: str) -> list[int]:
    """Counts the fields of each row; the last may go on in lines not seen."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return []
    return [len(row) for row in (rows[:-1] if len(rows) > 2 else rows)]
