"""Readers of text files: tsv, csv, jsonl and plain text, gzipped or not.

A table of formats; one function walks it, streaming, so that files may be larger than
memory. Every error names the file, the line and the remedy.
"""

from __future__ import annotations

import csv
import difflib
import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PathLike = str | os.PathLike[str]
# Characters of a csv field; Python's own limit of 131 072 refuses long documents. With
# none, one quote that is never closed would read the rest of the file into memory.
LONGEST_CSV_FIELD = 2**24
# What a format's reader yields: the line a record starts at, and its fields by column.
Records = Iterator[tuple[int, dict[str, str]]]


@dataclass(frozen=True)
class Examples:
    """Labelled texts of one file.

    Attributes:
        texts: the texts.
        labels: their labels, as strings.
        lines: the line of the file that each stands in, for messages.
        path: the file.
    """

    texts: list[str]
    labels: list[str]
    lines: list[int]
    path: str


def read_examples(
    path: PathLike, text_column: str = "text", label_column: str = "label"
) -> Examples:
    """Reads a file of labelled texts into memory.

    Args:
        path: a .tsv, .csv or .jsonl file, or one of these with .gz behind it.
        text_column: name of the column (or JSON key) with the text.
        label_column: name of the column with the label, a string or an integer.

    Returns:
        `Examples`.

    Raises:
        ValueError: if the file cannot be read as such; the message names file, line
            and remedy.
    """
    texts, labels, lines = [], [], []
    for line, record in _records(path, (text_column, label_column)):
        label = record[label_column].strip()
        if not label:
            raise ValueError(
                f"{path}, line {line}: the label in column {label_column!r} is empty. "
                "Give it one or remove the row."
            )
        texts.append(record[text_column])
        labels.append(label)
        lines.append(line)
    return Examples(texts, labels, lines, os.fspath(path))


def read_texts(
    paths: PathLike | Iterable[PathLike], text_column: str = "text"
) -> Iterator[str]:
    """Streams the texts of files, in constant memory.

    Args:
        paths: one file or several: .txt (one text a line), .tsv, .csv, .jsonl, each
            also with .gz behind it.
        text_column: name of the column (or JSON key) with the text; .txt has none.

    Yields:
        the texts, in order.

    Raises:
        ValueError: as `read_examples`.
    """
    for path in as_paths(paths):
        for _, record in _records(path, (text_column,)):
            yield record[text_column]


def as_paths(paths: PathLike | Iterable[PathLike]) -> list[PathLike]:
    """Lists paths that are given as one or as several."""
    return [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)


def _records(path: PathLike, columns: tuple[str, ...]) -> Records:
    """Yields records that have `columns`; raises if there is none."""
    path = os.fspath(path)
    reader = _reader(path)
    if not os.path.exists(path):
        raise ValueError(f"{path}: no such file.{_similar(path)}")
    if os.path.isdir(path):
        raise ValueError(f"{path}: this is a folder. Pass the file inside it.")
    count = 0
    try:
        with _open(path) as file:
            for line, record in reader(path, _decoded(path, file), columns):
                count += 1
                yield line, record
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(
            f"{path}: not a whole gzip file ({error}). Copy it again, or drop `.gz` "
            "from its name if it is not compressed."
        ) from error
    if not count:
        raise ValueError(f"{path}: the file holds no texts.")


def _similar(path: str) -> str:
    folder = Path(path).parent
    if not folder.is_dir():
        return f" The folder {folder} does not exist either."
    names = difflib.get_close_matches(
        Path(path).name, [entry.name for entry in folder.iterdir()], n=3
    )
    return f" Did you mean {' or '.join(names)}?" if names else ""


def _open(path: str) -> IO[bytes]:
    return gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")  # type: ignore[return-value]


def _decoded(path: str, file: IO[bytes]) -> Iterator[str]:
    """Yields lines with their ends; bytes keep line numbers apart from U+2028."""
    for number, line in enumerate(file, start=1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}, line {number}: not UTF-8 (byte {error.start + 1} is "
                f"0x{line[error.start]:02x}). Convert the file, for example with "
                "`iconv -f cp1252 -t utf-8`."
            ) from error
        yield text.removeprefix("\ufeff") if number == 1 else text


def _read_lines(path: str, lines: Iterator[str], columns: tuple[str, ...]) -> Records:
    if len(columns) > 1:
        raise ValueError(
            f"{path}: a .txt file holds texts without labels. Use .tsv, .csv or .jsonl "
            "for labelled texts."
        )
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        if text.strip():
            yield number, {columns[0]: text}


def _read_tsv(path: str, lines: Iterator[str], columns: tuple[str, ...]) -> Records:
    """One row a line, no quoting: a tab always separates."""
    numbered = (
        (number, line.rstrip("\r\n").split("\t"))
        for number, line in enumerate(lines, start=1)
        if line.strip("\r\n")
    )
    return _table(path, numbered, columns, "Remove stray tabs from the text")


def _read_csv(path: str, lines: Iterator[str], columns: tuple[str, ...]) -> Records:
    """RFC 4180: fields may be quoted, and hold commas, quotes and line ends then."""

    def numbered() -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(LONGEST_CSV_FIELD)
        reader = csv.reader(lines, strict=True)
        start = 1
        try:
            for row in reader:
                if row:
                    yield start, row
                start = reader.line_num + 1
        except csv.Error as error:
            raise ValueError(
                f"{path}, line {start}: {error}. Quotes inside a quoted field must be "
                "doubled, every quote closed, and lines end with a line feed."
            ) from error

    return _table(path, numbered(), columns, "Quote fields that hold commas")


def _table(
    path: str,
    rows: Iterator[tuple[int, list[str]]],
    columns: tuple[str, ...],
    remedy: str,
) -> Records:
    _, header = next(rows, (1, []))
    for column in columns:
        if header and column not in header:
            raise ValueError(
                f"{path}, line 1: no column {column!r}; found {header}. Name the right "
                "one with `text_column` or `label_column`, or add a header line."
            )
        if header.count(column) > 1:
            raise ValueError(
                f"{path}, line 1: {header.count(column)} columns are called "
                f"{column!r}. Rename all but one."
            )
    for number, row in rows:
        if len(row) != len(header):
            raise ValueError(
                f"{path}, line {number}: expected {len(header)} fields "
                f"({', '.join(header)}), found {len(row)}. {remedy}."
            )
        yield number, dict(zip(header, row, strict=True))


def _read_jsonl(path: str, lines: Iterator[str], columns: tuple[str, ...]) -> Records:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"{path}, line {number}: not JSON ({error}). Write one object a line."
            ) from error
        if not isinstance(record, dict):
            raise ValueError(
                f"{path}, line {number}: expected an object, found {line.strip()[:40]}."
            )
        fields = {}
        for column in columns:
            if column not in record:
                raise ValueError(
                    f"{path}, line {number}: no key {column!r}; found {list(record)}. "
                    "Name the right one with `text_column` or `label_column`."
                )
            value = record[column]
            is_text = isinstance(value, str)
            # `true` is an int to Python.
            is_label = type(value) is int and column != columns[0]
            if not (is_text or is_label):
                raise ValueError(
                    f"{path}, line {number}: {column!r} must be a string"
                    f"{'' if column == columns[0] else ' or an integer'}. Found "
                    f"{json.dumps(value)[:40]}."
                )
            fields[column] = _whole(path, number, column, str(value))
        yield number, fields


def _whole(path: str, number: int, column: str, value: str) -> str:
    """Returns `value` unless it holds half a character, which has no UTF-8."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{path}, line {number}: {column!r} holds {ascii(value[error.start])}, "
            "half of a character that was cut in two. Remove it."
        ) from error
    return value


Reader = Callable[[str, Iterator[str], tuple[str, ...]], Records]
FORMATS: dict[str, Reader] = {
    ".tsv": _read_tsv,
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".txt": _read_lines,
}


def _reader(path: str) -> Reader:
    extension = Path(path.removesuffix(".gz")).suffix.lower()
    if extension not in FORMATS:
        raise ValueError(
            f"{path}: unknown format {extension!r}. Known: {', '.join(FORMATS)}, each "
            "also with .gz behind it."
        )
    return FORMATS[extension]
