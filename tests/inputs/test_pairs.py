"""as_texts of pairs: a list of tuples by row, or a sentence that says what to pass."""

import datasets
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from siatl_keras.inputs import as_text_tensor, as_texts

PAIRS = [("so glad", "what a day"), ("", "so")]


@pytest.mark.parametrize(
    "values",
    [
        PAIRS,
        tuple(PAIRS),
        [list(pair) for pair in PAIRS],
        np.array(PAIRS),
        np.array(PAIRS, object),
        list(np.array(PAIRS)),
        pd.Series(PAIRS, index=[5, 5]),
        pd.DataFrame(PAIRS, columns=["b", "a"], index=[7, 3]),
        pd.DataFrame(PAIRS).astype("string"),
        pd.DataFrame(PAIRS, columns=["a", "a"]),
        datasets.Dataset.from_pandas(pd.DataFrame(PAIRS, columns=["b", "a"])),
    ],
    ids=lambda values: type(values).__name__,
)
def test_pairs_are_taken_by_row(values):
    assert as_texts(values, "x", pairs=True) == PAIRS


def test_bytes_stay_bytes_and_both_kinds_become_one_tensor():
    rows = as_texts(tf.constant(PAIRS), "x", pairs=True)
    assert rows == [tuple(side.encode() for side in pair) for pair in PAIRS]
    tensor = as_text_tensor([("a", b"b"), (b"c", "d")], pairs=True)
    assert tensor.numpy().tolist() == [[b"a", b"b"], [b"c", b"d"]]


def test_no_pairs_are_an_empty_list_and_tensor():
    for none in ([], np.zeros((0, 2), str), pd.DataFrame({"a": [], "b": []})):
        rows = as_texts(none, "x", pairs=True)
        assert rows == [] and as_text_tensor(rows, True).shape == (0, 2)


def test_an_iterator_is_read_where_one_will_do():
    firsts, seconds = zip(*PAIRS, strict=True)
    rows = as_texts(zip(firsts, seconds, strict=True), "x", iterators=True, pairs=True)
    assert rows == PAIRS


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            ["so glad"],
            r"pairs of texts, such as \(first, second\).*in row 0: 'so glad'",
        ),
        (
            ["so"],
            "a single text.*for single texts, make the model without `pairs=True`",
        ),
        ("so", "`x` must be a list. Received one string"),
        ([("a", "b"), ("c",)], "Received in row 1: a tuple of 1"),
        ((["a"] * 3, ["b"] * 3), r"row 0: a list of 3.*rows: list\(zip\(first, second"),
        ([("a", "b"), 3], "Received in row 1: 3, a int"),
        ([("a", "b"), {"a", "b"}], "Received in row 1: .*, a set"),
        ([("a", None)], r"`x` has no text in row 0 \(second text\): None. Drop"),
        ([("a", "b"), (float("nan"), "b")], r"no text in row 1 \(first text\): nan"),
        ([("a", 3)], r"must hold texts. Received in row 0 \(second text\): 3, a int"),
        ([("a\ud800", "b")], r"'\\ud800' in row 0 \(first text\), half of a character"),
        (np.array([["a", "b", "c"]]), r"pairs of texts, \[rows, 2\].*shape \(1, 3\)"),
        (tf.constant(["a", "b"]), "Received in row 0: b'a', a single text"),
        (
            pd.DataFrame({"a": ["x"], "b": ["y"], "label": [1]}),
            r"`x` must be two columns.*\['a', 'b', 'label'\]. Pass two of them",
        ),
        (pd.Series(["a"]), "Received in row 0: 'a', a single text"),
        (
            pd.DataFrame({"a": ["x"], "b": [None]}),
            r"no text in row 0 \(second text\)",
        ),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else "",
)
def test_what_is_no_column_of_pairs_is_refused_with_its_row(values, message):
    with pytest.raises(ValueError, match=message):
        as_texts(values, "x", pairs=True)
