"""Text files: what is none is named, and no line fills the memory."""

import bz2
import gzip
import lzma
import tracemalloc

import pytest

from siatl_keras.data import read_examples, read_texts
from siatl_keras.data.table_formats import LINES
from siatl_keras.data.text_file import LONGEST_LINE

UTF_16 = "text in UTF-16. Name its `encoding` (--encoding=utf-16-{}), or convert it"
NO_TEXT = {
    "UTF-16 without a mark": (
        "text\tlabel\nhé\ta\n".encode("utf-16-le"),
        UTF_16.format("le"),
    ),
    "UTF-16 without a mark, the other way": (
        "text\tlabel\n你好\ta\n".encode("utf-16-be"),
        UTF_16.format("be"),
    ),
    "UTF-32": ("text\tlabel\n".encode("utf-32"), "text in UTF-32. Name its"),
    "gzip": (gzip.compress(b"text\tlabel\na\tb\n"), "a gzip file. Put `.gz` behind"),
    "zip": (b"PK\x03\x04" + bytes(40), "a zip archive or an Excel workbook"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook. Save the"),
    "parquet": (b"PAR1" + bytes(40), "a Parquet file. End its name in .parquet."),
    "bzip2": (bz2.compress(b"text\n"), "a bzip2 file. Unpack it with `bunzip2`."),
    "xz": (lzma.compress(b"text\n"), "an xz file. Unpack it with `unxz`."),
}


@pytest.mark.parametrize("extension", [".tsv", ".csv", ".jsonl", ".txt", ".txt.gz"])
@pytest.mark.parametrize("kind", NO_TEXT)
def test_what_is_no_text_in_utf_8_is_named(write, kind, extension):
    content, message = NO_TEXT[kind]
    path = write(f"a{extension}", content)
    with pytest.raises(ValueError) as caught:
        list(read_texts(path))
    assert str(caught.value).startswith(f"{path}: this is {message}")


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-be", "utf-32", "cp1252", "UTF8", "utf-8-sig"]
)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_text_is_read_in_the_encoding_that_is_named(write, encoding, ending, mark):
    if mark and encoding in ("cp1252", "utf-16", "utf-32", "utf-8-sig"):
        mark = ""  # Which has none, or its own.
    content = f"{mark}text;label\r\n“café”, so\u00a0dear;bad\r\n"
    path = write(f"a.csv{ending}", content.encode(encoding))
    examples = read_examples(path, encoding=encoding)
    assert examples.texts == ["“café”, so\u00a0dear"] and examples.labels == ["bad"]
    assert list(read_texts(path, encoding=encoding)) == examples.texts


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_utf_16_that_says_so_is_read(write, encoding, ending):
    # U+0A00 holds the byte of a line's end, U+2028 ends no line.
    content = "\ufefftext\tlabel\n\u0a00你好\u2028\ta\n".encode(encoding)
    examples = read_examples(write(f"a.tsv{ending}", content))
    assert (examples.texts, examples.labels) == (["\u0a00你好\u2028"], ["a"])
    assert examples.lines == [2]


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"one\n\x81\n", "cp1252", "a.txt, line 1 or later: not in cp1252"),
        (b"one", "cp0", "`encoding` must be the name of an encoding.*: 'cp0'"),
        (b"one", "rot13", "`encoding` must be the name of an encoding.*: 'rot13'"),
        (b"one", None, "`encoding` must be the name of an encoding.*: None"),
        (b"one\rtwo\rthree", "cp1252", "a.txt: its lines end with a carriage return"),
    ],
)
def test_what_is_not_in_the_encoding_is_named(write, content, encoding, message):
    path = write("a.txt", content)
    with pytest.raises(ValueError, match=message):
        list(read_texts(path, encoding=encoding))


def test_texts_may_hold_nul_and_begin_like_another_format(write):
    texts = ["BZh, PK and so on", "\0", "a\0b", "PAR", "7z", "\0\0\0\0\0\0\0\0\0"]
    assert list(read_texts(write("a.txt", "\n".join(texts)))) == texts
    for text in texts:
        assert list(read_texts(write("b.txt", text))) == [text]


@pytest.mark.parametrize("extension", LINES)
def test_lines_are_bounded_so_that_a_small_file_fills_no_memory(tmp_path, extension):
    path = tmp_path / f"a{extension}.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(
            {".tsv": b"text\tlabel\n", ".csv": b"text,label\n"}.get(extension, b"")
        )
        for _ in range(30):
            file.write(b"x" * 10**7)
    assert path.stat().st_size < 2_000_000
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="longer than 16,777,216 bytes, the most"):
            list(read_texts(path))
        assert tracemalloc.get_traced_memory()[1] < 5 * LONGEST_LINE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("extension", [".csv", ".tsv"])
def test_quotes_that_are_never_closed_fill_no_memory(tmp_path, extension):
    path = tmp_path / f"a{extension}.gz"
    header = {".tsv": '"text"\t"label"\n', ".csv": "text,label\n"}[extension]
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write(header + '"opened\n')
        for _ in range(30):
            file.write(("x" * 100_000 + "\n") * 100)
    tracemalloc.start()
    try:
        with pytest.raises(
            ValueError, match="line 2: the row is longer than 16,777,216"
        ):
            list(read_texts(path))
        assert tracemalloc.get_traced_memory()[1] < 10 * LONGEST_LINE
    finally:
        tracemalloc.stop()


def test_blank_lines_are_texts_on_demand(write):
    path = write("a.txt", "one\n\n \ntwo\n\n")
    texts = list(read_texts(path, blank_lines=True))
    assert texts == ["one", "", " ", "two", ""]
    assert list(read_texts(write("b.txt", ""), blank_lines=True)) == []


def test_bad_bytes_cost_one_line_on_demand(write):
    path = write("a.txt", b"one\n\xff\xfe two\nthree\n\xe9\n")
    said = []
    texts = list(read_texts(path, on_bad_line=said.append))
    assert texts == ["one", "\ufffd\ufffd two", "three", "\ufffd"]
    assert [message.split(" (")[0] for message in said] == [
        f"{path}, line 2: not UTF-8",
        f"{path}, line 4: not UTF-8",
    ]
