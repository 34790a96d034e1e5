"""Readers of labelled texts and of texts, from files of any known format."""

from __future__ import annotations

import contextlib
import difflib
import itertools
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from siatl_keras.data.choose_columns import SAMPLE, choose_columns
from siatl_keras.data.columns import Columns
from siatl_keras.data.row_error import (
    BadRows,
    OnBadRow,
    RowError,
    listed_errors,
    raise_it,
)
from siatl_keras.data.table_formats import TEXT, Table, extension_of, open_table
from siatl_keras.data.visible_form import visible_form
from siatl_keras.local_path import check_local_path

PathLike = str | os.PathLike[str]
# How table libraries write whole numbers in a column that once had an empty cell.
_WHOLE_NUMBER = re.compile(r"-?\d+\.0+")


@dataclass(frozen=True)
class Examples:
    """Labelled texts of one file.

    Attributes:
        texts: the texts; tuples of two where a pair column is named.
        labels: their labels, as strings in Unicode's form NFC, without outer spaces.
        lines: the line of the file that each stands in, for messages.
        path: the file.
        columns: those that they stood in.
    """

    texts: list[Any]
    labels: list[str]
    lines: list[int]
    path: str
    columns: Columns = Columns("text", label="label")

    def of_rows(self, rows: Iterable[int]) -> Examples:
        """Takes some of the texts.

        Args:
            rows: their positions.
        """
        rows = list(rows)
        return replace(
            self,
            texts=[self.texts[row] for row in rows],
            labels=[self.labels[row] for row in rows],
            lines=[self.lines[row] for row in rows],
        )


def read_examples(
    path: PathLike,
    text_column: str | None = None,
    label_column: str | None = None,
    pair_column: str = "",
    empty_labels: bool = False,
    encoding: str = "utf-8",
    on_bad_row: OnBadRow | None = None,
) -> Examples:
    """Reads a file of labelled texts into memory.

    Args:
        path: a .tsv (see `tsv_rows` for its quotes), .csv or .jsonl file, or one of
            these with .gz behind it, or, with the extra `tables`, .xlsx or .parquet.
        text_column: name of the column (or JSON key, with dots where it lies deeper)
            with the text; `None` chooses it, see `choose_columns`.
        label_column: name of the column with the label: a string, or in JSON also a
            number, or a list of strings, which are joined by commas; `None` chooses it.
        pair_column: name of the column with the second text of each pair, for pairs.
        empty_labels: whether a text may have no label, as where it may have several.
        encoding: of a text file; one in UTF-16 that says so is read as such.
        on_bad_row: what takes the rows that cannot be used, which are left out then;
            without one they are an error.

    Returns:
        `Examples`. Labels 1.0, 2.0, … are read as 1, 2, … if all are whole numbers.

    Raises:
        ValueError: if the file cannot be read as such; the message names file, line
            and remedy.
    """
    texts, labels, lines = [], [], []
    if label_column == "":
        raise ValueError("`label_column` must be the name of a column. Received: ''.")
    columns = Columns(text_column, pair_column, label_column)
    bad_rows = on_bad_row or raise_it
    with _open(path, columns, encoding, on_bad_row=bad_rows) as (columns, records):
        for line, text, label in records:
            texts.append(text)
            labels.append(unicodedata.normalize("NFC", label.strip()))
            lines.append(line)
    if not texts:
        raise ValueError(f"{path}: the file holds no texts.")
    examples = Examples(texts, labels, lines, os.fspath(path), columns)
    if not empty_labels:
        examples = _with_labels(examples, on_bad_row)
    labels = examples.labels
    if all(_WHOLE_NUMBER.fullmatch(label) for label in labels):
        labels = [label.partition(".")[0] for label in labels]
    return replace(examples, labels=labels)


def _with_labels(examples: Examples, on_bad_row: OnBadRow | None) -> Examples:
    """Leaves out the texts whose labels are empty, or raises an error."""
    bad = BadRows()
    what = f"the label in column {examples.columns.label!r} is empty"
    kept = []
    for row, label in enumerate(examples.labels):
        if visible_form(label):
            kept.append(row)
            continue
        line, remedy = examples.lines[row], "Give it one or remove the row."
        (on_bad_row or bad)(RowError(examples.path, line, what, remedy))
    if bad.errors:
        raise ValueError(listed_errors(bad.errors))
    return examples.of_rows(kept)


def read_texts(
    paths: PathLike | Iterable[PathLike],
    text_column: str | None = None,
    blank_lines: bool = False,
    on_bad_line: Callable[[str], None] | None = None,
    pair_column: str = "",
    encoding: str = "utf-8",
) -> Iterator[Any]:
    """Streams the texts of files, in constant memory.

    Args:
        paths: one file or several: .txt (one text per line), or as `read_examples`.
        text_column: as `read_examples`, for each file; .txt has none.
        blank_lines: whether a blank line of a .txt file is a text too, so that there
            are as many texts as lines, be it none.
        on_bad_line: what takes a message about each line that is not UTF-8, whose bad
            bytes become U+FFFD then; without one they are an error.
        pair_column: name of the column with the second text of each pair, for pairs.
        encoding: as `read_examples`.

    Yields:
        the texts, or tuples of two, in order.

    Raises:
        ValueError: as `read_examples`.
    """
    columns = Columns(text_column, pair_column)
    for path in as_paths(paths):
        is_empty = True
        with _open(path, columns, encoding, on_bad_line) as (_, records):
            is_txt = extension_of(os.fspath(path)) == ".txt"
            keeps_all = blank_lines or not is_txt
            for _, text, _ in records:
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


@contextlib.contextmanager
def _open(
    path: PathLike,
    columns: Columns,
    encoding: str,
    on_bad_line: Callable[[str], None] | None = None,
    on_bad_row: OnBadRow = raise_it,
) -> Iterator[tuple[Columns, Iterator[tuple[int, Any, str]]]]:
    """Opens a file; yields its columns, all chosen, and line, text, label of each."""
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError(f"`path` must be the path of a file. Received: {path!r}.")
    path = os.fspath(path)
    check_local_path(path, "A file of texts")
    if extension_of(path) == ".txt":
        columns = _of_plain_texts(path, columns)
    if not os.path.exists(path):
        raise ValueError(f"{path}: no such file.{_similar(path)}")
    if os.path.isdir(path):
        raise ValueError(f"{path}: this is a folder. Pass the file inside it.")
    with open_table(path, encoding, on_bad_line, on_bad_row) as table:
        columns, table = _chosen(path, columns, table)
        if table.names:
            columns.check_header(path, table.names)
        yield columns, _rows(path, columns, table, on_bad_row)


def _rows(
    path: str, columns: Columns, table: Table, on_bad_row: OnBadRow
) -> Iterator[tuple[int, Any, str]]:
    for number, record in table.records:
        try:
            text, label = columns.of(path, number, record)
        except RowError as error:
            on_bad_row(error)
            continue
        yield number, text, label


def _chosen(path: str, columns: Columns, table: Table) -> tuple[Columns, Table]:
    """Chooses columns that are not named, by the first records."""
    if None not in (columns.text, columns.label):
        return columns, table
    begin = list(itertools.islice(table.records, SAMPLE))
    if not begin and not table.names:
        raise ValueError(f"{path}: the file holds no texts.")
    first = [record for _, record in begin]
    names = table.names or list(dict.fromkeys(itertools.chain(*first)))
    columns = choose_columns(path, columns, names, first)
    return columns, Table(table.names, itertools.chain(begin, table.records))


def _of_plain_texts(path: str, columns: Columns) -> Columns:
    if columns.pair:
        raise ValueError(
            f"{path}: a .txt file holds single texts. Use .tsv, .csv or .jsonl with a "
            "column for each text of a pair."
        )
    if columns.label != "":
        raise ValueError(
            f"{path}: a .txt file holds texts without labels. Use .tsv, .csv or .jsonl "
            "for labelled texts."
        )
    return Columns(TEXT)


def _similar(path: str) -> str:
    folder = Path(path).parent
    if not folder.is_dir():
        return f" The folder {folder} does not exist either."
    names = difflib.get_close_matches(
        Path(path).name, [entry.name for entry in folder.iterdir()], n=3
    )
    return f" Did you mean {' or '.join(names)}?" if names else ""
