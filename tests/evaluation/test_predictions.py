import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from siatl_keras.evaluation import Predictions

ROWS = st.integers(1, 5).flatmap(
    lambda texts: st.tuples(
        arrays("int64", texts, elements=st.integers(0, 2)),
        arrays("float64", (texts, 3), elements=st.floats(0, 1)),
    )
)


@given(ROWS)
def test_what_is_read_equals_what_was_written(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("predictions") / "predictions.tsv"
    written = Predictions(*rows)
    written.write(path)
    read = Predictions.read(path)
    np.testing.assert_array_equal(read.labels, written.labels)
    np.testing.assert_array_equal(read.probabilities, written.probabilities)
    np.testing.assert_array_equal(read.predicted, written.predicted)


def test_the_file_can_be_read_by_eye(tmp_path):
    Predictions(np.array([1]), np.array([[0.25, 0.75]])).write(tmp_path / "p.tsv")
    assert (tmp_path / "p.tsv").read_text() == (
        "label_id\tprobability_0\tprobability_1\n1\t0.25\t0.75\n"
    )


HEADER = "label_id\tprobability_0\tprobability_1\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected the columns"),
        (HEADER, "found .* and 0 lines"),
        ("text\tlabel\na\tb\n", "line 1: expected the columns"),
        (HEADER + "1\t0.5\t0.5\n1\t0.5\n", r"line 3: .*2 fields, not 3"),
        (HEADER + "one\t0.5\t0.5\n", "line 2: expected a class number"),
    ],
)
def test_another_file_is_refused_with_its_line(tmp_path, text, message):
    (tmp_path / "p.tsv").write_text(text)
    with pytest.raises(ValueError, match=message):
        Predictions.read(tmp_path / "p.tsv")


def test_a_line_with_a_bad_byte_is_named(tmp_path):
    (tmp_path / "p.tsv").write_bytes(HEADER.encode() + b"1\t0.5\t0.\xff\n")
    with pytest.raises(ValueError, match="line 2: expected a class number and 2"):
        Predictions.read(tmp_path / "p.tsv")
