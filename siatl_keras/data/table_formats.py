"""`open_table`: the records of a file, whatever its format.

A table of formats; each streams, so that files may be larger than memory, but for
workbooks and Parquet, which pandas reads.
"""

from __future__ import annotations

import contextlib
import datetime
import gzip
import itertools
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from siatl_keras.data.delimiter import delimiter_of
from siatl_keras.data.excerpt import listed
from siatl_keras.data.row_error import OnBadRow, RowError, raise_it
from siatl_keras.data.text_file import UTF_8, open_lines
from siatl_keras.data.tsv_rows import quoted_rows, tsv_rows
from siatl_keras.extras import install_command

# Lines from which a delimiter is told.
LINES_LOOKED_AT = 20


class Table(NamedTuple):
    """A file's records.

    Attributes:
        names: of its columns; `None` where each record has its own.
        records: the line or row that each starts at, from 1, and its fields by name.
    """

    names: list[str] | None
    records: Iterator[tuple[int, dict[str, Any]]]


@contextlib.contextmanager
def open_table(
    path: str,
    encoding: str = UTF_8,
    on_bad_line: Callable[[str], None] | None = None,
    on_bad_row: OnBadRow = raise_it,
) -> Iterator[Table]:
    """Opens a file.

    Args:
        path: the file; its name tells the format.
        encoding: of a text file, see `open_lines`.
        on_bad_line: see `open_lines`.
        on_bad_row: what takes a row that is not as long as the others, or no JSON.

    Yields:
        `Table`.

    Raises:
        ValueError: if the format is unknown or the file is not of it; names the line
            and the remedy.
    """
    extension = extension_of(path)
    if extension in TABLES:
        yield TABLES[extension](path)
        return
    try:
        with open_lines(path, encoding, on_bad_line) as lines:
            yield LINES[extension](path, lines, on_bad_row)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(
            f"{path}: not a whole gzip file ({error}). Copy it again, or drop `.gz` "
            "from its name if it is not compressed."
        ) from error


def extension_of(path: str) -> str:
    """Returns how a file's name ends, without `.gz`; raises if that is unknown."""
    extension = Path(path).suffix.lower()
    if extension in TABLES:
        return extension
    extension = Path(path.removesuffix(".gz")).suffix.lower()
    if extension not in LINES:
        raise ValueError(
            f"{path}: unknown format {extension!r}. Known: {', '.join(FORMATS)}, all "
            f"but {' and '.join(TABLES)} also with .gz behind it."
        )
    return extension


# The column of a file of plain texts, which has no names.
TEXT = "text"


def _plain(path: str, lines: Iterator[str], on_bad_row: OnBadRow) -> Table:
    texts = ({TEXT: line.rstrip("\r\n")} for line in lines)
    return Table([TEXT], enumerate(texts, start=1))


def _tsv(path: str, lines: Iterator[str], on_bad_row: OnBadRow) -> Table:
    delimiter, lines = _delimiter(lines, "\t")
    if delimiter != "\t":
        return _delimited(path, lines, delimiter, on_bad_row)
    remedy = (
        "Remove stray tabs from the text, or quote the field and double the quotation "
        "marks in it"
    )
    return _table(path, tsv_rows(path, lines), remedy, on_bad_row)


def _csv(path: str, lines: Iterator[str], on_bad_row: OnBadRow) -> Table:
    delimiter, lines = _delimiter(lines, ",")
    return _delimited(path, lines, delimiter, on_bad_row)


def _delimiter(lines: Iterator[str], usual: str) -> tuple[str, Iterator[str]]:
    begin = list(itertools.islice(lines, LINES_LOOKED_AT))
    return delimiter_of(begin, usual), itertools.chain(begin, lines)


_CALLED = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def _delimited(
    path: str, lines: Iterator[str], delimiter: str, on_bad_row: OnBadRow
) -> Table:
    rows = quoted_rows(path, lines, delimiter)
    remedy = f"Quote fields that hold {_CALLED[delimiter]}"
    return _table(path, rows, remedy, on_bad_row)


def _table(
    path: str,
    rows: Iterator[tuple[int, list[str]]],
    remedy: str,
    on_bad_row: OnBadRow,
) -> Table:
    _, header = next(rows, (1, []))

    def records() -> Iterator[tuple[int, dict[str, Any]]]:
        for number, row in rows:
            if len(row) == len(header):
                yield number, dict(zip(header, row, strict=True))
                continue
            what = f"expected {len(header)} fields {listed(header)}, found {len(row)}"
            on_bad_row(RowError(path, number, what, f"{remedy}."))

    return Table(header, records())


def _jsonl(path: str, lines: Iterator[str], on_bad_row: OnBadRow) -> Table:
    def records() -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                what, remedy = f"not JSON ({error})", "Write one object a line."
                on_bad_row(RowError(path, number, what, remedy))
                continue
            if not isinstance(record, dict):
                what = f"expected an object, found {line.strip()[:40]}"
                on_bad_row(RowError(path, number, what))
                continue
            yield number, _flat(record)

    return Table(None, records())


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Lifts what lies in objects of a record up, by names with dots: `data.text`."""
    if not any(isinstance(value, dict) for value in record.values()):
        return record
    flat = {}
    ahead = list(record.items())
    while ahead:
        name, value = ahead.pop(0)
        if isinstance(value, dict):
            ahead = [(f"{name}.{key}", each) for key, each in value.items()] + ahead
        else:
            flat[name] = value
    return flat


def _workbook(path: str) -> Table:
    # What looks like a number is one there, whatever its author thought of.
    arguments = {"dtype": object, "keep_default_na": False}
    return _of_pandas(path, "read_excel", _as_text, **arguments)


def _parquet(path: str) -> Table:
    return _of_pandas(path, "read_parquet", _as_json)


def _of_pandas(
    path: str, reader: str, cell: Callable[[Any], Any], **arguments: Any
) -> Table:
    try:
        import pandas

        frame = getattr(pandas, reader)(path, **arguments)
    except ImportError as error:
        raise ValueError(
            f"{path}: reading it needs {error.name or 'more packages'}. "
            f"`{install_command('pandas')}`, or save the table as .csv."
        ) from error
    except Exception as error:  # Whatever the formats' parsers raise.
        raise ValueError(
            f"{path}: not a whole {Path(path).suffix} file ({error})."
        ) from error
    frame = frame.astype(object).where(frame.notna(), "")
    names = [str(name) for name in frame.columns]
    rows = (
        dict(zip(names, map(cell, row), strict=True))
        for row in frame.itertuples(index=False, name=None)
    )
    return Table(names, enumerate(rows, start=2))


def _as_json(value: Any) -> Any:
    """Returns a cell as JSON has it."""
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return value.tolist() if hasattr(value, "tolist") else value  # numpy's


def _as_text(value: Any) -> str:
    """Returns a cell as a text file has it."""
    is_whole = isinstance(value, float) and value.is_integer()
    return str(_as_json(int(value) if is_whole else value))


Reader = Callable[[str, Iterator[str], OnBadRow], Table]
LINES: dict[str, Reader] = {
    ".tsv": _tsv,
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".txt": _plain,
}
TABLES: dict[str, Callable[[str], Table]] = {
    ".xlsx": _workbook,
    ".parquet": _parquet,
}
FORMATS = (*LINES, *TABLES)
