"""`one_line` and `tab_separated`: text that is to stay within a line of a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def one_line(text: str) -> str:
    r"""Makes all white space single spaces.

    >>> one_line(" so\tglad\n")
    'so glad'
    """
    return " ".join(text.split())


def tab_separated(rows: Iterable[Sequence[str]]) -> str:
    r"""Writes rows as lines, tabs between their fields and none within.

    >>> tab_separated([("line", "text"), ("7", "so\tglad")])
    'line\ttext\n7\tso glad\n'
    """
    return "".join("\t".join(map(one_line, row)) + "\n" for row in rows)
