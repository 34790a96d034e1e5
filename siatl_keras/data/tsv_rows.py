r"""`tsv_rows`: the rows of a tab-separated file, with and without quotes.

Two kinds of files are about, and nothing says which is at hand. Corpora have no quotes:
a tab always separates, and a quotation mark is text (a fifth of the tweets of Sent17
begin with one). What pandas and Excel write has quotes around a field that holds a tab,
a line end or a quotation mark, which is doubled then. The rule that tells them apart:

A field is quoted if it begins with a quotation mark, the next mark that is not doubled
ends it, and it holds a tab, a line end or a doubled mark, without which no writer would
have quoted it. All other marks are text. If the column names are all in quotes, every
field may be.
"""

from __future__ import annotations

import collections
import csv
import itertools
import re
from collections.abc import Iterator

from siatl_keras.data.text_file import LONGEST_LINE

MARK = '"'
Rows = Iterator[tuple[int, list[str]]]
# A quoted field, or one up to the next tab. What is matched is not tried another way:
# a line of marks would take quadratic time.
_FIELD = re.compile(r'"([^"]*+(?:""[^"]*+)*+)"(?=\t|\Z)|[^\t]*+')
_OPEN = re.compile(r'"[^"]*+(?:""[^"]*+)*+\Z')
_TO_END_OF_QUOTES = re.compile(r'[^"]*+(?:""[^"]*+)*+("|\Z)')


def tsv_rows(path: str, lines: Iterator[str]) -> Rows:
    """Splits the lines of a file into rows of fields.

    Args:
        path: the file, for messages.
        lines: its lines, with their ends.

    Yields:
        the line that a row starts at, and its fields; the column names first.

    Raises:
        ValueError: if a row can be read in two ways, or a file whose column names are
            quoted has a quote that is not closed.
    """
    before = []
    for line in lines:
        before.append(line)
        if line.strip("\r\n"):
            break
    names = before[-1].rstrip("\r\n").split("\t") if before else []
    lines = itertools.chain(before, lines)
    if names and all(len(name) > 1 and name[0] == name[-1] == MARK for name in names):
        return quoted_rows(path, lines, delimiter="\t")
    return _Rows(path, lines).rows()


def quoted_rows(path: str, lines: Iterator[str], delimiter: str) -> Rows:
    """Splits lines into rows by RFC 4180, where any field may be quoted.

    Args:
        path: the file, for messages.
        lines: its lines, with their ends.
        delimiter: what separates fields.

    Yields:
        the line that a row starts at, and its fields.

    Raises:
        ValueError: if quotes are not closed, or a row is too long.
    """
    # Python's own limit of 131 072 refuses long documents; `bounded` is ours.
    csv.field_size_limit(2 * LONGEST_LINE)
    start, size = 1, 0

    def bounded() -> Iterator[str]:
        # One quote that is never closed would read the rest of the file into memory.
        nonlocal size
        for line in lines:
            size += len(line)
            if size > LONGEST_LINE and size > len(line):
                raise csv.Error(f"the row is longer than {LONGEST_LINE:,} characters")
            yield line

    reader = csv.reader(bounded(), strict=True, delimiter=delimiter)
    try:
        for row in reader:
            if row:
                yield start, row
            start, size = reader.line_num + 1, 0
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {start}: {error}. Quotes inside a quoted field must be "
            "doubled, every quote closed, and lines end with a line feed."
        ) from error


class _Rows:
    """Reads row by row, looking ahead where a quoted field may go on in later lines."""

    def __init__(self, path: str, lines: Iterator[str]) -> None:
        self.path = path
        self.lines = lines
        self.ahead: collections.deque[str] = collections.deque()
        self.number = 0
        self.columns: int | None = None
        # What the rows so far have shown of the writer.
        self.has_quotes = False
        self.has_marks = False

    def rows(self) -> Rows:
        while (line := self._next()) is not None:
            start = self.number
            text = line.rstrip("\r\n")
            if not text:
                continue
            row = self._row(text) if MARK in text else text.split("\t")
            if self.columns is None:
                self.columns = len(row)
            yield start, row

    def _row(self, text: str) -> list[str]:
        if self.columns == 1 and text == MARK * 2:
            return [""]  # How an empty field that is alone in its row is written.
        row, is_open = _fields(text)
        plain = text.split("\t")
        fits = self.columns is None or len(row) == self.columns
        if is_open and not (fits and self.has_marks):
            over_lines = self._row_over_lines()
            if over_lines is not None:
                if fits and not self.has_quotes:
                    raise ValueError(
                        f"{self.path}, line {self.number}: the quotation mark that "
                        "begins a field may be text, or begin a field that ends in a "
                        "later line. Double the marks inside quoted fields and quote "
                        "the column names too, or remove this mark."
                    )
                for _ in range(over_lines[1]):
                    self._next()
                row = over_lines[0]
        if len(row) != self.columns and len(plain) == self.columns:
            row = plain
        self.has_quotes |= len(row) != len(plain) or row != plain
        self.has_marks |= any(a == b and MARK in a for a, b in zip(row, plain))  # noqa: B905
        return row

    def _row_over_lines(self) -> tuple[list[str], int] | None:
        """Returns the row that begins here if quotes make one, and its later lines."""
        parts, size = [self.current], len(self.current)
        for count in itertools.count(1):
            line = self._peek(count)
            # A line that is held costs more than its characters.
            if line is None or (size := size + 64 + len(line)) > LONGEST_LINE:
                return None
            parts.append(line)
            found = _TO_END_OF_QUOTES.match(line)
            if found is None or not found[1]:
                continue
            rest = line[found.end() :]
            if rest.strip("\r\n") and not rest.startswith("\t"):
                return None
            row, is_open = _fields("".join(parts).rstrip("\r\n"))
            if is_open and (self.columns is None or len(row) <= self.columns):
                continue
            return (row, count) if len(row) == self.columns else None
        return None

    def _next(self) -> str | None:
        line = self.ahead.popleft() if self.ahead else next(self.lines, None)
        if line is not None:
            self.number += 1
            self.current = line
        return line

    def _peek(self, count: int) -> str | None:
        while len(self.ahead) < count:
            line = next(self.lines, None)
            if line is None:
                return None
            self.ahead.append(line)
        return self.ahead[count - 1]


def _fields(text: str) -> tuple[list[str], bool]:
    """Splits one row; tells whether its last quoted field lacks its end."""
    row: list[str] = []
    position = 0
    while True:
        found = _FIELD.match(text, position)
        assert found is not None  # It matches the empty text.
        field, quoted = found[0], found[1]
        if quoted is not None and any(c in quoted for c in '\t\r\n"'):
            field = quoted.replace('""', MARK)
        elif text.startswith(MARK, position) and _OPEN.match(text, position):
            rest = text[position:].split("\t")
            return row + rest, True
        row.append(field)
        position = found.end()
        if position == len(text):
            return row, False
        position += 1
