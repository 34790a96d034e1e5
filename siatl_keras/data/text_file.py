"""Text files as lines: gzipped or not, in any encoding, each of bounded length.

What is no such file is told by its first bytes and named: a message about a missing
column would hide that the file is a workbook, or in UTF-16.
"""

from __future__ import annotations

import codecs
import contextlib
import functools
import gzip
import io
import itertools
from collections.abc import Callable, Iterator
from typing import IO, Any

from siatl_keras.data.excerpt import excerpt

# Bytes of a line, and of a record of several lines. Without a bound, a gzip file of a
# megabyte can hold one line that fills the memory.
LONGEST_LINE = 2**24

UTF_8 = "utf-8"
_NAME_IT = (
    "Name its `encoding` (--encoding={0}), or convert it: `iconv -f {0} -t utf-8`"
)
_UTF_16 = "text in UTF-16. " + _NAME_IT
_UTF_32 = f"text in UTF-32. {_NAME_IT.format('utf-32')}"
_TABLE = "Save the table as .csv in UTF-8, or as .jsonl"
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF_32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
# How files begin that are often taken for text, and what to do; longer ones first.
FIRST_BYTES = {
    b"\xff\xfe\x00\x00": _UTF_32,
    b"\x00\x00\xfe\xff": _UTF_32,
    b"\xff\xfe": _UTF_16.format("utf-16"),
    b"\xfe\xff": _UTF_16.format("utf-16"),
    b"\x1f\x8b": "a gzip file. Put `.gz` behind its name (compressed twice: unpack it)",
    b"PK\x03\x04": "a zip archive or an Excel workbook. Unpack it, or end its name in "
    ".xlsx",
    b"\xd0\xcf\x11\xe0": f"an old Excel workbook. {_TABLE}",
    b"PAR1": "a Parquet file. End its name in .parquet",
    b"ARROW1": f"an Arrow file. {_TABLE}",
    b"SQLite format 3": f"an SQLite database. {_TABLE}",
    **{b"BZh%d1AY&SY" % n: "a bzip2 file. Unpack it with `bunzip2`" for n in range(10)},
    b"\xfd7zXZ": "an xz file. Unpack it with `unxz`",
    b"\x28\xb5\x2f\xfd": "a Zstandard file. Unpack it with `unzstd`",
    b"7z\xbc\xaf": "a 7z archive. Unpack it",
    b"%PDF-": "a PDF file. Save its text as .txt",
}
_BYTES_LOOKED_AT = 64


@contextlib.contextmanager
def open_lines(
    path: str,
    encoding: str = UTF_8,
    on_bad_line: Callable[[str], None] | None = None,
) -> Iterator[Iterator[str]]:
    r"""Opens a file, unpacking it if its name ends in `.gz`.

    Lines end with "\n" alone, so that numbers agree with editors' where texts hold
    U+2028.

    Args:
        path: the file.
        encoding: that it is in. One whose first bytes say that it is in UTF-16 is read
            as such.
        on_bad_line: see `decoded`.

    Yields:
        its lines, with their ends.

    Raises:
        ValueError: if its first bytes say that it is no text, a line is longer than
            `LONGEST_LINE` or not in the encoding, or the lines end with carriage
            returns alone.
    """
    is_utf_8 = _name_of(encoding) == UTF_8
    opener: Any = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as file:
        head = file.peek(_BYTES_LOOKED_AT)
        is_utf_16 = head.startswith(UTF_16_MARKS)
        if is_utf_8 and is_utf_16 and not head.startswith(_UTF_32_MARKS):
            is_utf_8, encoding = False, "utf-16"
        if is_utf_8:
            check_first_bytes(path, head)
            yield _utf_8_lines(path, file, on_bad_line)
        else:
            yield _lines_in(encoding, path, file)


def _name_of(encoding: str) -> str:
    try:
        "".encode(encoding)  # Unlike `lookup`, it knows those of text alone.
        return codecs.lookup(encoding).name
    except (LookupError, TypeError) as error:
        raise ValueError(
            "`encoding` must be the name of an encoding, such as utf-8 or cp1252. "
            f"Received: {encoding!r}."
        ) from error


def _lines_in(encoding: str, name: str, file: Any) -> Iterator[str]:
    text = io.TextIOWrapper(file, encoding, newline="\n")
    for number in itertools.count(1):
        try:
            line = text.readline(LONGEST_LINE + 1)
        except UnicodeError as error:
            raise ValueError(
                f"{name}, line {number} or later: not in {encoding} ({error}). Name "
                "another `encoding` (--encoding)."
            ) from error
        if not line:
            return
        check_line(name, number, line.encode("utf-8", "surrogatepass"))
        yield line.removeprefix("\ufeff") if number == 1 else line


def check_first_bytes(name: str, head: bytes) -> None:
    """Refuses what is no text in UTF-8.

    Args:
        name: of the file, for the message.
        head: how it begins.

    Raises:
        ValueError: names what the file is, and the remedy.
    """
    head = head[:_BYTES_LOOKED_AT]
    for first_bytes, what in FIRST_BYTES.items():
        if head.startswith(first_bytes):
            raise ValueError(f"{name}: this is {what}.")
    # UTF-16 without a mark at its beginning: every second byte of Latin text is zero.
    odd, even = head[1::2].count(0), head[::2].count(0)
    if len(head) >= 8 and not min(odd, even) and max(odd, even) >= len(head) // 4:
        order = "utf-16-le" if odd else "utf-16-be"
        raise ValueError(f"{name}: this is {_UTF_16.format(order)}.")


def _utf_8_lines(
    name: str, file: IO[bytes], on_bad_line: Callable[[str], None] | None
) -> Iterator[str]:
    lines = iter(functools.partial(file.readline, LONGEST_LINE + 1), b"")
    for number, line in enumerate(lines, start=1):
        if number > 1 and len(line) <= LONGEST_LINE and line.isascii():
            yield line.decode("ascii")  # The usual line, without further calls.
        else:
            check_line(name, number, line)
            yield decoded(name, number, line, on_bad_line)


def check_line(name: str, number: int, line: bytes) -> None:
    """Checks a line of bytes; see `open_lines`."""
    if number == 1 and not line.endswith(b"\n") and b"\r" in line.rstrip(b"\r"):
        raise ValueError(
            f"{name}: its lines end with a carriage return alone. Convert it, for "
            r"example with `tr '\r' '\n'`."
        )
    if len(line) > LONGEST_LINE:
        raise ValueError(
            f"{name}, line {number}: longer than {LONGEST_LINE:,} bytes, the most that "
            "a line may have. Put every text on a line of its own, and cut or leave "
            "out what is longer."
        )


def decoded(
    name: str,
    number: int,
    line: bytes,
    on_bad_line: Callable[[str], None] | None = None,
) -> str:
    """Decodes a line of UTF-8.

    Args:
        name: of the file, for messages.
        number: of the line; the first may begin with a byte order mark.
        line: its bytes.
        on_bad_line: what takes the message where bytes are not UTF-8, which become
            U+FFFD then; without one, they are an error.

    Raises:
        ValueError: if the line is not UTF-8.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        where = (
            f"{name}, line {number}: not UTF-8 (byte {error.start + 1} is "
            f"0x{line[error.start]:02x})."
        )
        if on_bad_line is None:
            around = line[max(0, error.start - 20) : error.start + 20].rstrip(b"\r\n")
            western = around.decode("cp1252", errors="replace")
            raise ValueError(
                f"{where} In cp1252, which Excel writes in Western Europe, it would be "
                f"{excerpt(western)}. {_NAME_IT.format('cp1252')}."
            ) from error
        on_bad_line(f"{where} Read with U+FFFD in the place of such bytes.")
        text = line.decode("utf-8", errors="replace")
    return text.removeprefix("\ufeff") if number == 1 else text
