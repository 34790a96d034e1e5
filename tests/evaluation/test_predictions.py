"""Predictions: the file has all that was said, and nothing else is taken for one."""

import numpy as np
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


@pytest.mark.parametrize("kind", [classes, labels, numbers])
@given(data=st.data())
def test_what_is_read_equals_what_was_written(tmp_path_factory, kind, data):
    path = tmp_path_factory.mktemp("predictions") / "predictions.tsv"
    written = Predictions(*data.draw(st.integers(1, 5).flatmap(kind)))
    written.write(path)
    read = Predictions.read(path)
    for name in ("targets", "predicted", "scores"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))


@pytest.mark.parametrize(
    ("predictions", "text"),
    [
        (
            Predictions(np.array([0]), np.array([1]), np.array([[0.25, 0.75]])),
            "class\tpredicted_class\tscore_0\tscore_1\n0\t1\t0.25\t0.75\n",
        ),
        (
            Predictions(np.array([[1, 1]]), np.array([[0, 0]]), np.array([[0.1, 0.2]])),
            "labels\tpredicted_labels\tscore_0\tscore_1\n0,1\t\t0.1\t0.2\n",
        ),
        (
            Predictions(np.array([1.5]), np.array([2.0]), np.zeros((1, 0))),
            "value\tpredicted_value\n1.5\t2.0\n",
        ),
    ],
    ids=["classes", "labels", "numbers"],
)
def test_the_file_can_be_read_by_eye(tmp_path, predictions, text):
    predictions.write(tmp_path / "p.tsv")
    assert (tmp_path / "p.tsv").read_text() == text


HEADER = "class\tpredicted_class\tscore_0\tscore_1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected the columns"),
        (HEADER, "found .* and 0 lines"),
        ("text\tlabel\na\tb\n", "line 1: expected the columns"),
        ("class\tpredicted_class\n1\t1\n", "line 1: expected the columns"),
        (HEADER + "1\t1\t0.5\t0.5\n1\t1\t0.5\n", r"line 3: .*3 fields, not 4"),
        (HEADER + "one\t1\t0.5\t0.5\n", "line 2: expected class, predicted_class"),
        (
            HEADER.replace("class", "labels") + "0,2\t\t0.5\t0.5\n",
            "line 2: the label 2 has no score",
        ),
    ],
)
def test_another_file_is_refused_with_its_line(tmp_path, text, message):
    (tmp_path / "p.tsv").write_text(text)
    with pytest.raises(ValueError, match=message):
        Predictions.read(tmp_path / "p.tsv")


def test_a_line_with_a_bad_byte_is_named(tmp_path):
    (tmp_path / "p.tsv").write_bytes(HEADER.encode() + b"1\t1\t0.5\t0.\xff\n")
    with pytest.raises(ValueError, match="line 2: expected class.* and 2 scores"):
        Predictions.read(tmp_path / "p.tsv")
