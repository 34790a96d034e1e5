"""Readers: every format comes back as it was written, every error teaches."""

import csv
import gzip
import io
import itertools
import json
import re
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.data import read_examples, read_texts
from siatl_keras.data.table_formats import LINES

# Surrogates have no UTF-8; files split lines at "\n" and drop "\r" before it.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LABEL = st.text("abcdé 0123", min_size=1).filter(lambda label: label.strip() == label)
ROWS = st.lists(st.tuples(ANY_TEXT, LABEL), min_size=1, max_size=8)
WITHOUT_MARKS = ANY_TEXT.map(lambda text: re.sub('[\r\n\t"]', " ", text))


def as_tsv(rows):
    return "".join(f"{text}\t{label}\n" for text, label in [("text", "label"), *rows])


def as_csv(rows):
    file = io.StringIO(newline="")
    csv.writer(file).writerows([("text", "label"), *rows])
    return file.getvalue()


def as_jsonl(rows):
    return "".join(
        json.dumps({"text": text, "label": label}) + "\n" for text, label in rows
    )


def read_back(extension, content):
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / f"examples{extension}"
        plain.write_bytes(content.encode("utf-8"))
        packed = Path(folder) / f"examples{extension}.gz"
        packed.write_bytes(gzip.compress(content.encode("utf-8")))
        examples, unpacked = read_examples(plain), read_examples(packed)
        texts = list(read_texts([plain, packed]))
    assert (examples.texts, examples.labels) == (unpacked.texts, unpacked.labels)
    assert examples.lines == unpacked.lines
    assert texts == examples.texts * 2
    return list(zip(examples.texts, examples.labels, strict=True)), examples.lines


@given(st.lists(st.tuples(WITHOUT_MARKS, LABEL), min_size=1, max_size=8))
def test_tsv_comes_back_as_written_gzipped_or_not(rows):
    assert read_back(".tsv", as_tsv(rows)) == (rows, list(range(2, len(rows) + 2)))


@given(ROWS)
def test_csv_with_quotes_commas_and_line_ends_comes_back_as_written(rows):
    # A carriage return that is not part of a line end is text inside quotes.
    assert read_back(".csv", as_csv(rows))[0] == rows


@given(ROWS)
def test_jsonl_comes_back_as_written(rows):
    found, lines = read_back(".jsonl", as_jsonl(rows))
    assert (found, lines) == (rows, list(range(1, len(rows) + 1)))


def test_txt_gives_a_text_a_line_and_no_blank_ones(write):
    path = write("a.txt", "one\r\n\n two \n\u2028three\x0bfour")
    assert list(read_texts(path)) == ["one", " two ", "\u2028three\x0bfour"]


def test_csv_reports_the_line_a_record_starts_at(write):
    path = write("a.csv", 'text,label\n"two\nlines",a\n\n"x ""y"", z",b\n')
    examples = read_examples(path)
    assert examples.texts == ["two\nlines", 'x "y", z']
    assert examples.lines == [2, 5]
    assert examples.path == path


@pytest.mark.parametrize("extension", [".tsv", ".csv"])
def test_byte_order_mark_and_windows_line_ends_are_tolerated(write, extension):
    separator = {".tsv": "\t", ".csv": ","}[extension]
    content = f"\ufefftext{separator}label\r\nhé{separator}1\r\n"
    examples = read_examples(write(f"a{extension}", content))
    assert (examples.texts, examples.labels) == (["hé"], ["1"])


def test_integer_labels_become_strings(write):
    path = write("a.jsonl", '{"text": "a", "label": 3}\n{"text": "b", "label": "4"}\n')
    assert read_examples(path).labels == ["3", "4"]


def test_columns_go_by_name_and_others_are_left_out(write):
    path = write("a.tsv", "id\tclass\ttweet\n7\tx\thello\n")
    examples = read_examples(path, text_column="tweet", label_column="class")
    assert (examples.texts, examples.labels) == (["hello"], ["x"])


def test_csv_fields_may_be_long(write):
    path = write("a.csv", f'text,label\n"{"x" * 500_000}",a\n')
    assert len(read_examples(path).texts[0]) == 500_000


def test_several_files_of_different_formats_follow_each_other(write):
    paths = [write("a.txt", "one\ntwo\n"), write("b.jsonl.gz", '{"text": "three"}\n')]
    assert list(read_texts(paths)) == ["one", "two", "three"]


ERRORS = {
    "too few fields": (
        "a.tsv",
        "text\tlabel\na\tb\nonly text\n",
        "line 3: expected 2 fields ['text', 'label'], found 1. Remove stray tabs",
    ),
    "too many fields": (
        "a.tsv",
        "text\tlabel\na\tb\tc\n",
        "line 2: expected 2 fields ['text', 'label'], found 3. Remove stray tabs",
    ),
    "too many fields after a record of several lines": (
        "a.csv",
        'text,label\n"a\nb",c\nd,e,f\n',
        "line 4: expected 2 fields ['text', 'label'], found 3. Quote fields",
    ),
    "no text": (
        "a.csv",
        "id,label\na,b\n",
        "which column holds the texts is not clear. Name it with `text_column`. Its "
        "columns, and how they begin:\n  'id': 'a'",
    ),
    "no label": (
        "a.csv",
        "text,city,day\na,b,c\n",
        "which column holds the labels is not clear. Name it with `label_column`. Its "
        "columns, and how they begin:\n  'city': 'b'\n  'day': 'c'",
    ),
    "missing key": (
        "a.jsonl",
        '{"text": "a", "label": "b"}\n\n{"text": "a"}\n',
        "line 3: no key 'label'; found ['text']. Name the right one",
    ),
    "two columns of one name": (
        "a.csv",
        "text,text,label\na,b,c\n",
        "line 1: 2 columns are called 'text'. Rename all but one.",
    ),
    "empty labels": (
        "a.tsv",
        "text\tlabel\n" + "c\t \n" * 12 + "c\td\n",
        "lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more: the label in column "
        "'label' is empty. Give it one or remove the row.",
    ),
    "empty label": (
        "a.tsv",
        "text\tlabel\na\tb\nc\t \n",
        "line 3: the label in column 'label' is empty. Give it one or remove the row.",
    ),
    "quote inside a quoted field": (
        "a.csv",
        'text,label\nok,a\n"a"b,c\n',
        "line 3: ',' expected after '\"'. Quotes inside a quoted field must be doubled",
    ),
    "quote never closed": (
        "a.csv",
        'text,label\nok,a\n"a,c\nd,e\n',
        "line 3: unexpected end of data. Quotes inside a quoted field must be doubled",
    ),
    "not JSON": (
        "a.jsonl",
        '{"text": "a", "label": "b"}\n{"text": \n',
        "line 2: not JSON (",
    ),
    "JSON that nests too deep": ("a.jsonl", "[" * 100_000, "line 1: not JSON ("),
    "JSON that is no object": (
        "a.jsonl",
        '["text", "label"]\n',
        "line 1: expected an object, found",
    ),
    "text that is a number": (
        "a.jsonl",
        '{"text": 1, "label": "b"}\n',
        "line 1: 'text' must be a string. Found 1.",
    ),
    "label with a comma in a list": (
        "a.jsonl",
        '{"text": "a", "label": ["a,b"]}\n',
        "line 1: 'label' must be a string, a finite number, or a list of strings "
        'without commas. Found ["a,b"].',
    ),
    "label that is a truth value": (
        "a.jsonl",
        '{"text": "a", "label": true}\n',
        "line 1: 'label' must be a string, a finite number, or a list of strings "
        "without commas. Found true.",
    ),
    "half of an emoji": (
        "a.jsonl",
        '{"text": "a\\ud83d", "label": "b"}\n',
        "line 1: 'text' holds '\\ud83d', half of a character",
    ),
    "bytes that are not UTF-8": (
        "a.tsv",
        b"text\tlabel\nok\ta\ncaf\xe9\tb\n",
        "line 3: not UTF-8 (byte 4 is 0xe9). In cp1252, which Excel writes in Western "
        "Europe, it would be 'café\\tb'. Name its `encoding` (--encoding=cp1252), or ",
    ),
    "bytes that are not UTF-8, gzipped": (
        "a.jsonl.gz",
        b"\xff\xff",
        "line 1: not UTF-8 (byte 1 is 0xff). In cp1252",
    ),
    "many columns with long names": (
        "a.csv",
        ",".join(f"{'x' * 500}{index}" for index in range(1000)) + "\na,b\n",
        f"line 2: expected 1000 fields ['{'x' * 40}'…, ",
    ),
    "many keys": (
        "a.jsonl",
        json.dumps({f"key{index}": "x" for index in range(1000)}),
        "'key9': 'x'\n  and 990 more",
    ),
    "text that is null": (
        "a.jsonl",
        '{"text": null, "label": "b"}\n',
        "line 1: 'text' must be a string. Found null.",
    ),
    "label that is not a number": (
        "a.jsonl",
        '{"text": "a", "label": NaN}\n',
        "line 1: 'label' must be a string, a finite number, or a list of strings "
        "without commas. Found NaN.",
    ),
    "label of many digits": (
        "a.jsonl",
        '{"text": "a", "label": ' + "9" * 5000 + "}\n",
        "line 1: not JSON (Exceeds the limit",
    ),
    "label that cannot be seen": (
        "a.tsv",
        "text\tlabel\na\t \u200b\n",
        "line 2: the label in column 'label' is empty.",
    ),
    "lines that end with carriage returns": (
        "a.tsv",
        "text\tlabel\ra\tb\rc\td\r",
        "its lines end with a carriage return alone. Convert it, for example with",
    ),
    "no row": ("a.csv", "text,label\n", "the file holds no texts."),
    "nothing": ("a.jsonl", "", "the file holds no texts."),
    "nothing, gzipped": ("a.tsv.gz", "", "the file holds no texts."),
    "no labels in plain text": (
        "a.txt",
        "one\n",
        "a .txt file holds texts without labels. Use .tsv, .csv or .jsonl",
    ),
    "unknown format": ("a.docx", "text,label\n", "unknown format '.docx'. Known: .tsv"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_error_names_file_line_and_remedy(write, case):
    name, content, message = ERRORS[case]
    path = write(name, content)
    with pytest.raises(ValueError) as caught:
        read_examples(path)
    assert str(caught.value).startswith(path)
    assert message in str(caught.value)
    assert len(str(caught.value)) < len(path) + 600


@pytest.mark.parametrize("path", ["gs://bucket/a.tsv", "s3://b/a.txt", "file:///a.csv"])
def test_path_with_a_scheme_is_refused(path):
    with pytest.raises(ValueError, match="must be a path on this machine"):
        list(read_texts(path))


def test_labels_are_stripped_and_in_one_unicode_form(write):
    path = write("a.tsv", "text\tlabel\na\t café\nb\tcafe\u0301 \nc\t\u3000café\n")
    assert read_examples(path).labels == ["café"] * 3


def test_missing_file_names_its_neighbours(write):
    path = write("train.tsv", "text\tlabel\na\tb\n")
    with pytest.raises(ValueError, match=r"no such file\. Did you mean train\.tsv\?"):
        read_examples(path.replace("train", "trian"))


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match="The folder .*none does not exist either"):
        read_examples(tmp_path / "none" / "train.tsv")


def test_folder_in_place_of_a_file_is_an_error(tmp_path):
    (tmp_path / "a.tsv").mkdir()
    with pytest.raises(ValueError, match="this is a folder"):
        read_examples(tmp_path / "a.tsv")


def test_gzip_that_ends_too_early_is_an_error(write):
    path = write("a.txt.gz", "\n".join(map(str, range(10_000))))
    Path(path).write_bytes(Path(path).read_bytes()[:-20])
    with pytest.raises(ValueError, match="not a whole gzip file"):
        list(read_texts(path))


def test_plain_file_named_gz_is_an_error(tmp_path):
    (tmp_path / "a.txt.gz").write_text("plain\n")
    with pytest.raises(ValueError, match="drop `.gz` from its name"):
        list(read_texts(tmp_path / "a.txt.gz"))


@pytest.mark.parametrize("extension", LINES)
def test_texts_stream_in_constant_memory(tmp_path, extension):
    text = "x" * 1000
    line = {
        ".tsv": f"{text}\ta\n",
        ".csv": f'"{text}",a\n',
        ".jsonl": json.dumps({"text": text, "label": "a"}) + "\n",
        ".txt": text + "\n",
    }[extension]
    header = {".tsv": "text\tlabel\n", ".csv": "text,label\n"}.get(extension, "")
    path = tmp_path / f"a{extension}.gz"
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write(header)
        for _ in range(10):
            file.write(line * 1000)
    texts = read_texts(path)
    next(texts)
    tracemalloc.start()
    try:
        assert sum(1 for _ in texts) == 9_999  # 10 MB of text
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_texts_are_read_as_they_are_asked_for(write):
    path = write("a.txt", b"one\ntwo\n\xff\n")
    assert list(itertools.islice(read_texts(path), 2)) == ["one", "two"]
    with pytest.raises(ValueError, match="line 3: not UTF-8"):
        list(read_texts(path))


def test_shared_data_sets_are_read_whole(shared_data):
    counts = {"scv2/test.tsv": 2360, "snips/test.tsv": 700}
    for name, count in counts.items():
        examples = read_examples(shared_data / name)
        assert len(examples.texts) == count, name
        assert len(set(examples.labels)) > 1
