"""What separates fields is told from the first rows."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.data import read_examples, read_texts
from siatl_keras.data.delimiter import DELIMITERS, delimiter_of

TEXT = st.text("ab ,;|\t\"'\n", max_size=12)


@pytest.mark.parametrize("usual", DELIMITERS)
@pytest.mark.parametrize("delimiter", DELIMITERS)
@given(st.lists(st.tuples(TEXT, st.sampled_from("xy"), TEXT), max_size=30))
def test_tables_of_any_delimiter_are_told(usual, delimiter, rows):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerows([("text", "label", "more"), *rows])
    file.seek(0)
    assert delimiter_of(file.readlines()[:20], usual) == delimiter


@pytest.mark.parametrize("usual", DELIMITERS)
def test_a_single_column_keeps_the_usual_one(usual):
    assert delimiter_of(["text\n", "one, two; three | four\n"], usual) == usual
    assert delimiter_of([], usual) == usual


@pytest.mark.parametrize("extension", [".csv", ".tsv"])
@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_files_are_read_whatever_their_name_promises(write, extension, delimiter):
    rows = ["text,label", '"so; fine | and, well\tdone",good', "plain,bad"]
    content = io.StringIO(newline="")
    csv.writer(content, delimiter=delimiter).writerows(csv.reader(rows))
    examples = read_examples(write(f"a{extension}", content.getvalue()))
    assert examples.texts == ["so; fine | and, well\tdone", "plain"]
    assert examples.labels == ["good", "bad"]


def test_a_corpus_with_marks_in_its_texts_stays_a_table_of_tabs(write):
    path = write("a.tsv", 'text\tlabel\n"quoted, half\ta\nso; what | "no"\tb\n')
    assert list(read_texts(path)) == ['"quoted, half', 'so; what | "no"']


def test_a_row_with_too_many_fields_is_told_by_the_delimiter(write):
    path = write("a.csv", "text;label\none;a\ntwo;b;c\n")
    with pytest.raises(ValueError, match="line 3: .*, found 3. Quote fields that hold"):
        read_examples(path)
