"""Columns: labels and texts of records, and names that are none."""

import pytest

from siatl_keras.data import read_examples, read_texts


def test_whole_numbers_that_a_table_library_wrote_are_labels_without_their_zero(write):
    path = write("a.csv", "text,label\na,1.0\nb,5.0\nc,-2.00\n")
    assert read_examples(path).labels == ["1", "5", "-2"]
    path = write("b.csv", "text,label\na,1.0\nb,2.5\n")
    assert read_examples(path).labels == ["1.0", "2.5"]


@pytest.mark.parametrize("name", ["", 3, ["text"]])
@pytest.mark.parametrize("argument", ["text_column", "label_column"])
def test_what_is_no_column_s_name_is_refused(write, argument, name):
    path = write("a.csv", "text,label\na,b\n")
    with pytest.raises(ValueError, match=f"`{argument}` must be the name of a column"):
        read_examples(path, **{argument: name})


PAIRS_BY_FORMAT = {
    "a.tsv": "a\tb\tlabel\none\ttwo\t1\n\tfour\t0\n",
    "a.csv.gz": "label,b,a\n1,two,one\n0,four,\n",
    "a.jsonl": '{"a": "one", "b": "two", "label": 1}\n'
    '{"a": "", "b": "four", "label": "0"}\n',
}


@pytest.mark.parametrize("name", PAIRS_BY_FORMAT)
def test_two_columns_are_pairs(write, name):
    path = write(name, PAIRS_BY_FORMAT[name])
    examples = read_examples(path, "a", pair_column="b")
    assert examples.texts == [("one", "two"), ("", "four")]
    assert examples.labels == ["1", "0"]
    assert list(read_texts(path, "a", pair_column="b")) == examples.texts


@pytest.mark.parametrize(
    ("name", "column", "message"),
    [
        ("a.tsv", "c", "no column 'c'.*`text_column`, `pair_column` or `label_column`"),
        ("a.jsonl", "c", "no key 'c'.*`text_column`, `pair_column` or `label_column`"),
        ("a.tsv", "a", "`pair_column` must be another column.*'a' for both"),
        ("a.jsonl", "label", r"'label' must be a string. Found 1"),
    ],
)
def test_a_wrong_pair_column_is_named(write, name, column, message):
    path = write(name, PAIRS_BY_FORMAT[name])
    with pytest.raises(ValueError, match=message):
        list(read_texts(path, "a", pair_column=column))


def test_a_plain_text_file_holds_no_pairs(write):
    path = write("a.txt", "one\ttwo\n")
    with pytest.raises(ValueError, match="a .txt file holds single texts. Use .tsv"):
        list(read_texts(path, pair_column="b"))
