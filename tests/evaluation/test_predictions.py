"""Predictions: the file has all that was said, and nothing else is taken for one."""

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from siatl_keras.evaluation import Predictions


def classes(texts):
    numbers = arrays("int64", texts, elements=st.integers(0, 2))
    return st.tuples(numbers, numbers, scores(texts))


def labels(texts):
    matrix = arrays("int64", (texts, 3), elements=st.integers(0, 1))
    return st.tuples(matrix, matrix, scores(texts))


def numbers(texts):
    values = arrays("float64", texts, elements=st.floats(-1e9, 1e9))
    return st.tuples(values, values, st.just(np.zeros((texts, 0))))


def scores(texts):
    return arrays("float64", (texts, 3), elements=st.floats(0, 1))


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.lists(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters=","), min_size=1
    ),
    min_size=3,
    max_size=3,
    unique=True,
)


@pytest.mark.parametrize("kind", [classes, labels, numbers])
@given(data=st.data())
def test_what_is_read_equals_what_was_written(tmp_path_factory, kind, data):
    path = tmp_path_factory.mktemp("predictions") / "predictions.tsv"
    drawn = data.draw(st.integers(1, 5).flatmap(kind))
    names = () if kind is numbers else tuple(data.draw(NAMES))
    written = Predictions(*drawn, names)
    count = len(written.targets)
    text = data.draw(st.sampled_from([ANY_TEXT, st.tuples(ANY_TEXT, ANY_TEXT)]))
    texts = data.draw(st.lists(text, min_size=count, max_size=count))
    written.write(path, texts)
    read = Predictions.read(path)
    for name in ("targets", "predicted", "scores"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
    assert read.names == names
    table = pandas.read_csv(
        path, sep="\t", dtype=str, keep_default_na=False, header=None, encoding="utf-8"
    )
    shown = [(each,) if isinstance(each, str) else each for each in texts]
    width = len(shown[0])
    if not any("\r" in field for row in shown for field in row):
        assert table.iloc[1:, :width].values.tolist() == [list(row) for row in shown]


@pytest.mark.parametrize(
    ("predictions", "texts", "content"),
    [
        (
            Predictions(
                np.array([0]), np.array([1]), np.array([[0.25, 0.75]]), ("bad", "good")
            ),
            ["so\tglad"],
            "text\tlabel\tpredicted_label\tbad\tgood\n"
            '"so\tglad"\tbad\tgood\t0.25\t0.75\n',
        ),
        (
            Predictions(np.array([[1, 1]]), np.array([[0, 0]]), np.array([[0.1, 0.2]])),
            ["well"],
            "text\tlabels\tpredicted_labels\t0\t1\nwell\t0,1\t\t0.1\t0.2\n",
        ),
        (
            Predictions(np.array([1.5]), np.array([2.0]), np.zeros((1, 0))),
            [("one", "two")],
            "text\ttext_pair\tvalue\tpredicted_value\none\ttwo\t1.5\t2.0\n",
        ),
    ],
    ids=["classes", "labels", "numbers"],
)
def test_the_file_can_be_read_by_eye(tmp_path, predictions, texts, content):
    predictions.write(tmp_path / "p.tsv", texts)
    assert (tmp_path / "p.tsv").read_text() == content


HEADER = "text\tlabel\tpredicted_label\t0\t1\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: expected the columns"),
        (HEADER, "found .* and 0 lines"),
        ("text\tlabel\na\tb\n", "line 1: expected the columns"),
        ("text\tlabel\tpredicted_label\na\t1\t1\n", "line 1: expected the columns"),
        ("id\tlabel\tpredicted_label\t0\t1\n", "line 1: expected the columns"),
        (HEADER + "a\t1\t1\t0.5\t0.5\na\t1\t1\t0.5\n", "line 3: .*3 fields, not 4"),
        (HEADER + '"a\nb"\t1\t1\t0.5\t0.5\na\t1\n', "line 4: .*1 fields, not 4"),
        (HEADER + "a\tone\t1\t0.5\t0.5\n", "line 2: .*the label 'one' has no column"),
        (HEADER + "a\t1\t1\t0.5\tx\n", "line 2: expected label, predicted_label and 2"),
        (HEADER + '"a\t1\t1\t0.5\tx\n', "line 2: unexpected end of data"),
        (
            HEADER.replace("label", "labels") + "a\t0,2\t\t0.5\t0.5\n",
            "line 2: .*the label '2' has no column",
        ),
    ],
)
def test_another_file_is_refused_with_its_line(tmp_path, content, message):
    (tmp_path / "p.tsv").write_text(content)
    with pytest.raises(ValueError, match=message):
        Predictions.read(tmp_path / "p.tsv")


def test_a_line_with_a_bad_byte_is_named(tmp_path):
    (tmp_path / "p.tsv").write_bytes(HEADER.encode() + b"a\t1\t1\t0.5\t0.\xff\n")
    with pytest.raises(
        ValueError, match="line 2: expected label.* and 2 probabilities"
    ):
        Predictions.read(tmp_path / "p.tsv")
