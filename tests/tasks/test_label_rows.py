"""Labels of texts that may have several: all forms, and what is none."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from scipy.sparse import csr_matrix

from siatl_keras.data import Examples
from siatl_keras.inputs import Column
from siatl_keras.tasks import MultiLabel

NAMES = ["anger", "joy", "surprise"]
TASK = MultiLabel(NAMES)
ROWS = [[0, 1, 1], [1, 0, 0], [0, 0, 0]]
RAGGED = tf.ragged.constant([["joy", "surprise"], ["anger"], []])


def file(labels):
    lines = list(range(2, len(labels) + 2))
    return Column.of_file(Examples(["a"] * len(labels), labels, lines, "train.tsv"))


@pytest.mark.parametrize(
    "labels",
    [
        [["joy", "surprise"], ["anger"], []],
        [("surprise", "joy"), "anger", ()],
        [{"joy", "surprise"}, {"anger"}, set()],
        ["joy,surprise", "anger", ""],
        ["joy, surprise", " anger", " "],
        [[1, 2], [0], []],
        [[1.0, 2.0], 0, []],
        [["joy", "joy", "surprise"], ["anger"], []],
        np.array(ROWS),
        np.array(ROWS, bool),
        np.array(ROWS, "float32"),
        np.array(["joy,surprise", "anger", ""]),
        pd.DataFrame(ROWS, columns=NAMES),
        pd.Series(["joy,surprise", "anger", ""], index=[3, 3, 1]),
        pd.Series([["joy", "surprise"], ["anger"], []]),
        tf.constant(ROWS),
        tf.constant(["joy,surprise", "anger", ""]),
    ],
)
def test_labels_in_all_forms_are_rows_of_0_and_1(labels):
    encoded = TASK.encode(Column(labels, "y"))
    assert encoded.dtype == np.float32
    assert encoded.tolist() == ROWS


def test_labels_of_a_file_are_named_with_their_line():
    assert TASK.encode(file(["joy,surprise", "anger", ""])).tolist() == ROWS
    with pytest.raises(ValueError, match="train.tsv, line 3: the label 'fear' is not"):
        TASK.encode(file(["joy", "anger,fear"]))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([["joy"], ["fear"]], "`y`, row 1: the label 'fear' is not among"),
        (["joy", "joy,fear"], "`y`, row 1: the label 'fear'"),
        ([["joy"], None], "`y`, row 1: there is no label"),
        ([["joy"], ["anger", None]], r"`y`, row 1: `y\[1\]`, row 1: there is no label"),
        ([[1], [3]], "`y`, row 1: 3 is neither"),
        ([["joy"], [1]], "row 0: labels must be names, or whole numbers, and not both"),
        ([{"joy": 1}], "row 0: the labels of a text must be a list of names"),
        ([1j], "row 0: the labels of a text must be a list"),
        ("joy", "`y` must be a list. Received one string"),
        (
            np.ones((3, 2)),
            r"a column for each of the 3 labels. Received shape \(3, 2\)",
        ),
        (np.array([[0, 1, 2]]), "`y`, row 0: expected 0, 1 or a .* 'surprise'.*: 2"),
        (np.array([[0, 1, np.nan]]), "row 0: expected 0, 1 or a"),
        (
            pd.DataFrame(ROWS, columns=["joy", "anger", "surprise"]),
            "columns in the order of the labels",
        ),
        (pd.DataFrame([["a", "b", "c"]], columns=NAMES), "row 0: expected 0, 1 or a"),
    ],
)
def test_what_is_no_label_is_refused_with_its_place(labels, message):
    with pytest.raises(ValueError, match=message):
        TASK.encode(Column(labels, "y"))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["b,a", "a", ""], ["a", "b"]),
        ([["10", "9"], ["9"]], ["9", "10"]),
        ([[10, 9], [9]], ["9", "10"]),
        (pd.DataFrame([[0, 1]], columns=["z", "a"]), ["z", "a"]),
        (np.eye(3), ["0", "1", "2"]),
    ],
)
def test_the_task_is_of_the_labels_that_occur(labels, expected):
    task = MultiLabel.from_labels(labels)
    assert task.label_names == expected
    assert task.thresholds == [0.5] * len(expected)


def test_labels_of_ragged_and_sparse_tensors_are_rows_of_0_and_1():
    assert TASK.encode(Column(RAGGED, "y")).tolist() == ROWS
    sparse = csr_matrix(ROWS)
    assert TASK.encode(Column(sparse, "y")).tolist() == ROWS
    assert MultiLabel.from_labels(sparse).label_names == ["0", "1", "2"]
    assert MultiLabel.from_labels(RAGGED).label_names == NAMES


@pytest.mark.parametrize("labels", [ROWS, [np.array(row) for row in ROWS]])
def test_lists_of_0_and_1_are_not_taken_for_label_numbers(labels):
    with pytest.raises(ValueError, match=r"row 0 holds a label number .*np.array\(y\)"):
        TASK.encode(Column(labels, "y"))


def test_rows_of_0_and_1_for_two_labels_are_not_taken_for_both():
    task, rows = MultiLabel(["a", "b"]), [[1, 0], [0, 1]]
    with pytest.raises(ValueError, match="`y` can be read in two ways.*np.array"):
        task.encode(Column(rows, "y"))
    assert task.encode(Column(np.array(rows), "y")).tolist() == rows
    assert task.encode(Column([[1, 0], [0]], "y")).tolist() == [[1, 1], [1, 0]]


def test_whole_floats_are_the_names_that_integers_are():
    task = MultiLabel.from_labels([[5.0], [7.0, 5.0]])
    assert task.label_names == ["5", "7"]
    assert task.encode(Column([[7.0], [5]], "y")).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("wrong", [1.5, ["a"], {"a": 1}, 1j], ids=str)
def test_names_are_made_of_words_and_whole_numbers_alone(wrong):
    with pytest.raises(ValueError, match="`labels`, row 1: a label must be a name or"):
        MultiLabel.from_labels([["a"], ["b", wrong]])


@pytest.mark.parametrize("labels", [[["a"], ["a"]], [[], []], []], ids=str)
def test_without_two_labels_there_is_no_task(labels):
    with pytest.raises(ValueError, match="two different labels at least"):
        MultiLabel.from_labels(labels)
