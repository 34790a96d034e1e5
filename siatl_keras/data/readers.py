"""Readers of text files: tsv, csv, jsonl and plain text, gzipped or not.

A table of formats; one function walks it, streaming, so that files may be larger than
memory. Every error names the file, the line and the remedy.
"""

from __future__ import annotations

import difflib
import gzip
import json
import math
import os
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from siatl_keras.data.excerpt import listed
from siatl_keras.data.text_file import open_text_file, text_lines
from siatl_keras.data.tsv_rows import quoted_rows, tsv_rows
from siatl_keras.data.visible_form import visible_form
from siatl_keras.local_path import check_local_path

PathLike = str | os.PathLike[str]
# What a format's reader yields: the line a record starts at, and its fields by column.
Records = Iterator[tuple[int, dict[str, str]]]


class Columns(NamedTuple):
    """The columns that are read.

    Attributes:
        texts: of the text, or of the two texts of a pair.
        labels: of the label; none where none is read.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str, pair: str, labels: tuple[str, ...] = ()) -> Columns:
        """Checks and takes the names as `read_examples` has them."""
        if pair == text:
            raise ValueError(
                "`pair_column` must be another column than `text_column`. Received: "
                f"{pair!r} for both."
            )
        return cls((text, pair) if pair else (text,), labels)

    @property
    def names(self) -> list[str]:
        """All columns."""
        return [*self.texts, *self.labels]

    @property
    def arguments(self) -> str:
        """The arguments that name columns, for messages."""
        pair = ["`pair_column`"] * (len(self.texts) - 1)
        *others, last = ["`text_column`", *pair, "`label_column`"]
        return f"{', '.join(others)} or {last}"

    def text(self, record: dict[str, str]) -> Any:
        """Returns the text of a record, or the tuple of both."""
        if len(self.texts) == 1:
            return record[self.texts[0]]
        return tuple(record[name] for name in self.texts)


@dataclass(frozen=True)
class Examples:
    """Labelled texts of one file.

    Attributes:
        texts: the texts; tuples of two where a pair column is named.
        labels: their labels, as strings in Unicode's form NFC, without outer spaces.
        lines: the line of the file that each stands in, for messages.
        path: the file.
    """

    texts: list[Any]
    labels: list[str]
    lines: list[int]
    path: str


def read_examples(
    path: PathLike,
    text_column: str = "text",
    label_column: str = "label",
    pair_column: str = "",
    empty_labels: bool = False,
) -> Examples:
    """Reads a file of labelled texts into memory.

    Args:
        path: a .tsv (see `tsv_rows` for its quotes), .csv or .jsonl file, or one of
            these with .gz behind it.
        text_column: name of the column (or JSON key) with the text.
        label_column: name of the column with the label: a string, or in JSON also a
            number, or a list of strings, which are joined by commas.
        pair_column: name of the column with the second text of each pair, for pairs.
        empty_labels: whether a text may have no label, as where it may have several.

    Returns:
        `Examples`.

    Raises:
        ValueError: if the file cannot be read as such; the message names file, line
            and remedy.
    """
    texts, labels, lines = [], [], []
    columns = Columns.of(text_column, pair_column, (label_column,))
    for line, record in _records(path, columns):
        label = unicodedata.normalize("NFC", record[label_column].strip())
        if not empty_labels and not visible_form(label):
            raise ValueError(
                f"{path}, line {line}: the label in column {label_column!r} is empty. "
                "Give it one or remove the row."
            )
        texts.append(columns.text(record))
        labels.append(label)
        lines.append(line)
    if not texts:
        raise ValueError(f"{path}: the file holds no texts.")
    return Examples(texts, labels, lines, os.fspath(path))


def read_texts(
    paths: PathLike | Iterable[PathLike],
    text_column: str = "text",
    blank_lines: bool = False,
    on_bad_line: Callable[[str], None] | None = None,
    pair_column: str = "",
) -> Iterator[Any]:
    """Streams the texts of files, in constant memory.

    Args:
        paths: one file or several: .txt (one text per line), .tsv, .csv, .jsonl, each
            also with .gz behind it.
        text_column: name of the column (or JSON key) with the text; .txt has none.
        blank_lines: whether a blank line of a .txt file is a text too, so that there
            are as many texts as lines, be it none.
        on_bad_line: what takes a message about each line that is not UTF-8, whose bad
            bytes become U+FFFD then; without one they are an error.
        pair_column: name of the column with the second text of each pair, for pairs.

    Yields:
        the texts, or tuples of two, in order.

    Raises:
        ValueError: as `read_examples`.
    """
    columns = Columns.of(text_column, pair_column)
    for path in as_paths(paths):
        is_empty = True
        is_txt = _reader(os.fspath(path)) is _read_lines
        keeps_all = blank_lines or not is_txt
        for _, record in _records(path, columns, on_bad_line):
            text = columns.text(record)
            if keeps_all or text.strip():
                is_empty = False
                yield text
        if is_empty and not (is_txt and blank_lines):
            raise ValueError(f"{path}: the file holds no texts.")


def as_paths(paths: PathLike | Iterable[PathLike]) -> list[PathLike]:
    """Lists paths that are given as one or as several."""
    if isinstance(paths, (str, os.PathLike)):
        return [paths]
    if not isinstance(paths, Iterable):
        raise ValueError(f"`paths` must be paths of files. Received: {paths!r}.")
    return list(paths)


def _records(
    path: PathLike,
    columns: Columns,
    on_bad_line: Callable[[str], None] | None = None,
) -> Records:
    """Yields records that have `columns`."""
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError(f"`path` must be the path of a file. Received: {path!r}.")
    path = os.fspath(path)
    check_local_path(path, "A file of texts")
    reader = _reader(path)
    if not os.path.exists(path):
        raise ValueError(f"{path}: no such file.{_similar(path)}")
    if os.path.isdir(path):
        raise ValueError(f"{path}: this is a folder. Pass the file inside it.")
    try:
        with open_text_file(path) as file:
            yield from reader(path, text_lines(path, file, on_bad_line), columns)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(
            f"{path}: not a whole gzip file ({error}). Copy it again, or drop `.gz` "
            "from its name if it is not compressed."
        ) from error


def _similar(path: str) -> str:
    folder = Path(path).parent
    if not folder.is_dir():
        return f" The folder {folder} does not exist either."
    names = difflib.get_close_matches(
        Path(path).name, [entry.name for entry in folder.iterdir()], n=3
    )
    return f" Did you mean {' or '.join(names)}?" if names else ""


def _read_lines(path: str, lines: Iterator[str], columns: Columns) -> Records:
    if len(columns.texts) > 1:
        raise ValueError(
            f"{path}: a .txt file holds single texts. Use .tsv, .csv or .jsonl with a "
            "column for each text of a pair."
        )
    if columns.labels:
        raise ValueError(
            f"{path}: a .txt file holds texts without labels. Use .tsv, .csv or .jsonl "
            "for labelled texts."
        )
    for number, line in enumerate(lines, start=1):
        yield number, {columns.texts[0]: line.rstrip("\r\n")}


def _read_tsv(path: str, lines: Iterator[str], columns: Columns) -> Records:
    remedy = (
        "Remove stray tabs from the text, or quote the field and double the quotation "
        "marks in it"
    )
    return _table(path, tsv_rows(path, lines), columns, remedy)


def _read_csv(path: str, lines: Iterator[str], columns: Columns) -> Records:
    rows = quoted_rows(path, lines, delimiter=",")
    return _table(path, rows, columns, "Quote fields that hold commas")


def _table(
    path: str,
    rows: Iterator[tuple[int, list[str]]],
    columns: Columns,
    remedy: str,
) -> Records:
    _, header = next(rows, (1, []))
    for column in columns.names:
        if header and column not in header:
            raise ValueError(
                f"{path}, line 1: no column {column!r}; found {listed(header)}. Name "
                f"the right one with {columns.arguments}, or add a header line."
            )
        if header.count(column) > 1:
            raise ValueError(
                f"{path}, line 1: {header.count(column)} columns are called "
                f"{column!r}. Rename all but one."
            )
    places = {column: header.index(column) for column in columns.names if header}
    for number, row in rows:
        if len(row) != len(header):
            raise ValueError(
                f"{path}, line {number}: expected {len(header)} fields "
                f"{listed(header)}, found {len(row)}. {remedy}."
            )
        yield number, {column: row[place] for column, place in places.items()}


def _read_jsonl(path: str, lines: Iterator[str], columns: Columns) -> Records:
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
        for column in columns.names:
            if column not in record:
                raise ValueError(
                    f"{path}, line {number}: no key {column!r}; found "
                    f"{listed(record)}. Name the right one with {columns.arguments}."
                )
            value = record[column]
            text = _as_label(value) if column in columns.labels else value
            if not isinstance(text, str):
                raise ValueError(
                    f"{path}, line {number}: {column!r} must be a string"
                    f"{_OR_A_LABEL if column in columns.labels else ''}. Found "
                    f"{json.dumps(value)[:40]}."
                )
            fields[column] = _whole(path, number, column, text)
        yield number, fields


_OR_A_LABEL = ", a finite number, or a list of strings without commas"


def _as_label(value: Any) -> str | None:
    """Returns a label of a JSON file as other files have it; `None` if it is none."""
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
        raise ValueError(
            f"{path}, line {number}: {column!r} holds {ascii(value[error.start])}, "
            "half of a character that was cut in two. Remove it."
        ) from error
    return value


Reader = Callable[[str, Iterator[str], Columns], Records]
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
