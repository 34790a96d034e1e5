"""Text files as lines: gzipped or not, in UTF-8, each line of bounded length.

What is no such file is told by its first bytes and named: a message about a missing
column would hide that the file is a workbook, or in UTF-16.
"""

from __future__ import annotations

import functools
import gzip
from collections.abc import Callable, Iterator
from typing import IO, Any

# Bytes of a line, and of a record of several lines. Without a bound, a gzip file of a
# megabyte can hold one line that fills the memory.
LONGEST_LINE = 2**24

_UTF_16 = "text in UTF-16. Convert it, for example with `iconv -f utf-16 -t utf-8`"
_UTF_32 = "text in UTF-32. Convert it, for example with `iconv -f utf-32 -t utf-8`"
_TABLE = "Save the table as .csv in UTF-8, or as .jsonl"
# How files begin that are often taken for text, and what to do; longer ones first.
FIRST_BYTES = {
    b"\xff\xfe\x00\x00": _UTF_32,
    b"\x00\x00\xfe\xff": _UTF_32,
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
    b"\x1f\x8b": "a gzip file. Put `.gz` behind its name (compressed twice: unpack it)",
    b"PK\x03\x04": f"a zip archive or an Excel workbook. Unpack it. {_TABLE}",
    b"\xd0\xcf\x11\xe0": f"an old Excel workbook. {_TABLE}",
    b"PAR1": f"a Parquet file. {_TABLE}",
    b"ARROW1": f"an Arrow file. {_TABLE}",
    b"SQLite format 3": f"an SQLite database. {_TABLE}",
    **{b"BZh%d1AY&SY" % n: "a bzip2 file. Unpack it with `bunzip2`" for n in range(10)},
    b"\xfd7zXZ": "an xz file. Unpack it with `unxz`",
    b"\x28\xb5\x2f\xfd": "a Zstandard file. Unpack it with `unzstd`",
    b"7z\xbc\xaf": "a 7z archive. Unpack it",
    b"%PDF-": "a PDF file. Save its text as .txt",
}
_BYTES_LOOKED_AT = 64


def open_text_file(path: str) -> IO[bytes]:
    """Opens a file, unpacking it if its name ends in `.gz`.

    Args:
        path: the file.

    Returns:
        its bytes.

    Raises:
        ValueError: if its first bytes say that it is no text in UTF-8.
    """
    opener: Any = gzip.open if path.endswith(".gz") else open
    file = opener(path, "rb")
    try:
        check_first_bytes(path, file.peek(_BYTES_LOOKED_AT))
    except BaseException:
        file.close()
        raise
    return file


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
        raise ValueError(f"{name}: this is {_UTF_16}.")


def text_lines(
    name: str, file: IO[bytes], on_bad_line: Callable[[str], None] | None = None
) -> Iterator[str]:
    r"""Yields the lines of a file, with their ends.

    Lines end with "\n" alone, so that numbers agree with editors' where texts hold
    U+2028.

    Args:
        name: of the file, for messages.
        file: its bytes.
        on_bad_line: see `decoded`.

    Raises:
        ValueError: if a line is longer than `LONGEST_LINE` or not UTF-8, or the lines
            end with carriage returns alone.
    """
    lines = iter(functools.partial(file.readline, LONGEST_LINE + 1), b"")
    for number, line in enumerate(lines, start=1):
        if number > 1 and len(line) <= LONGEST_LINE and line.isascii():
            yield line.decode("ascii")  # The usual line, without further calls.
        else:
            check_line(name, number, line)
            yield decoded(name, number, line, on_bad_line)


def check_line(name: str, number: int, line: bytes) -> None:
    """Checks a line of bytes; see `text_lines`."""
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
            raise ValueError(
                f"{where} Convert the file, for example with `iconv -f cp1252 -t "
                "utf-8`."
            ) from error
        on_bad_line(f"{where} Read with U+FFFD in the place of such bytes.")
        text = line.decode("utf-8", errors="replace")
    return text.removeprefix("\ufeff") if number == 1 else text
