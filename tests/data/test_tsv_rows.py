"""tsv_rows: what pandas and Excel quote is read, what corpora do not quote is text."""

import csv
import io
import itertools
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.data import read_examples, read_texts
from siatl_keras.data.tsv_rows import tsv_rows

HEADER = ["text", "label"]
TEXT = st.text(
    st.one_of(st.sampled_from('"\t\n\r ,x'), st.characters(exclude_categories=["Cs"])),
    max_size=12,
)


def rows_of(content):
    # As a file gives its lines: split after a line feed alone.
    lines = [line + "\n" for line in content.split("\n")]
    lines[-1] = lines[-1][:-1]
    return [row for _, row in tsv_rows("a.tsv", iter(filter(None, lines)))]


def quoted_as_needed(rows):
    file = io.StringIO(newline="")
    csv.writer(file, delimiter="\t", lineterminator="\n").writerows([HEADER, *rows])
    return file.getvalue()


def test_a_frame_that_pandas_wrote_comes_back(tmp_path):
    texts = [
        'she said "no"',
        "a\ttab",
        "two\nlines",
        "two\r\nlines",
        '"all of it"',
        'ends with "',
        'a\ttab\nand a line, and "marks"',
        '"',
        '""',
        "",
        "plain",
    ]
    frame = pd.DataFrame({"text": texts, "label": ["a", "b"] * 5 + ["a"]})
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC):
        path = tmp_path / f"{quoting}.tsv"
        frame.to_csv(path, sep="\t", index=False, quoting=quoting)
        examples = read_examples(path)
        assert (examples.texts, examples.labels) == (texts, list(frame["label"]))
    frame.to_csv(tmp_path / "index.tsv.gz", sep="\t")
    assert read_examples(tmp_path / "index.tsv.gz").texts == texts


def test_a_single_column_with_empty_fields_comes_back(tmp_path):
    texts = ["a", "", 'b "c"', "two\nlines"]
    path = tmp_path / "a.tsv"
    pd.DataFrame({"text": texts}).to_csv(path, sep="\t", index=False)
    assert list(read_texts(path)) == texts


def test_what_excel_saves_is_read(write):
    content = '\ufefftext\tlabel\r\n"said ""so"", twice\ttabbed"\ta\r\n"x\ny"\tb\r\n'
    examples = read_examples(write("a.tsv", content))
    assert examples.texts == ['said "so", twice\ttabbed', "x\ny"]
    assert examples.lines == [2, 3]


@given(st.lists(st.tuples(TEXT, st.sampled_from("ab")), min_size=1, max_size=8))
def test_what_a_writer_quotes_comes_back_or_is_refused(rows):
    """Refused where a mark opens a field whose lines are rows of their own."""
    try:
        found = rows_of(quoted_as_needed(rows))
    except ValueError as error:
        assert "begins a field may be text" in str(error)
        assert any("\n" in text and "\t" in text for text, _ in rows)
    else:
        assert found == [HEADER, *map(list, rows)]


@given(st.lists(st.tuples(TEXT, st.sampled_from("ab")), min_size=1, max_size=8))
def test_quotes_around_everything_come_back_always(rows):
    file = io.StringIO(newline="")
    csv.writer(file, "excel-tab", quoting=csv.QUOTE_ALL).writerows([HEADER, *rows])
    assert rows_of(file.getvalue()) == [HEADER, *map(list, rows)]


PLAIN = [
    '"never closed',
    '"RT @somebody: so true!"',
    '"quoted" at the start',
    'and "in the middle"',
    'at the end "',
    '""@somebody: Damn next Saturday""',
    '"a film with "marks" in it"',
    '"',
    "5'10\" tall",
    'said ""twice"" and went',
]


@pytest.mark.parametrize("text", PLAIN)
def test_marks_in_a_corpus_are_text(text):
    assert rows_of(f"text\tlabel\n{text}\ta\nb\tb\n")[1] == [text, "a"]


def test_a_corpus_of_marks_is_read_line_by_line():
    rows = [list(pair) for pair in itertools.product(PLAIN, "ab")]
    content = "\n".join("\t".join(row) for row in [HEADER, *rows])
    assert rows_of(content) == [HEADER, *rows]


def test_the_reading_with_the_right_number_of_fields_is_taken():
    three = "text\tmore\tlabel\n"
    assert rows_of(three + '"a\tb"\tc\n')[1] == ['"a', 'b"', "c"]
    assert rows_of(three + '"a\tb"\tc\td\n')[1] == ["a\tb", "c", "d"]


def test_two_readings_of_one_mark_are_refused():
    content = 'text\tlabel\nx\ta\n"never closed\ta\nor closed here"\tb\n'
    with pytest.raises(
        ValueError, match="a.tsv, line 3: the quotation mark that begins"
    ):
        rows_of(content)


def test_other_rows_tell_which_of_two_readings_is_meant():
    mark = '"never closed\ta\nor closed here"\tb\n'
    as_text = rows_of('text\tlabel\nsay "x"\ta\n' + mark)
    assert as_text[2:] == [['"never closed', "a"], ['or closed here"', "b"]]
    as_quote = rows_of('text\tlabel\n"say ""x"""\ta\n' + mark)
    assert as_quote[1:] == [['say "x"', "a"], ["never closed\ta\nor closed here", "b"]]


def test_a_mark_that_is_never_closed_costs_one_look_ahead(write):
    row = '"never closed\ta\n'
    path = write("a.tsv", "text\tlabel\n" + row + "x\ta\n" * 200_000 + row * 1000)
    assert len(read_examples(path).texts) == 201_001


def test_a_long_field_of_marks_takes_linear_time(write):
    path = write("a.tsv", f"text\tlabel\n{3_000_001 * chr(34)}\ta\n")
    assert len(read_examples(path).texts[0]) == 3_000_001


def test_lines_of_rows_are_those_of_the_file(write):
    content = 'text\tlabel\n\n"a\nb"\tx\n\nc\ty\n"say ""d"""\tx\n'
    path = write("a.tsv.gz", content)
    assert read_examples(path).lines == [3, 6, 7]


def test_fields_that_are_too_many_are_told_at_the_row_s_line(write):
    path = write("a.tsv", 'text\tlabel\n"a\nb"\tx\nc\td\te\n')
    with pytest.raises(
        ValueError, match=re.escape(f"{path}, line 4: expected 2 fields")
    ):
        read_examples(path)
