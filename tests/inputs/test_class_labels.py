"""ClassLabels: which class a label means, and which labels mean none or two."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.inputs import ClassLabels
from siatl_keras.inputs.class_labels import class_names

NAMES = ["no", "yes"]


@pytest.mark.parametrize(
    "labels",
    [
        ["yes", "no", "yes"],
        [1, 0, 1],
        [1.0, 0.0, 1.0],
        [True, False, True],
        np.array([1, 0, 1], "uint8"),
        np.array([1, 0, 1], "float32"),
        np.array([[1], [0], [1]]),
        np.array(["yes", "no", "yes"]),
        np.array([b"yes", b"no", b"yes"]),
        np.array(["yes", "no", "yes"], object),
        np.array([1, 0, 1], object),
        pd.Series(["yes", "no", "yes"], index=[5, 5, 1]),
        pd.Series([1, 0, 1], dtype="Int64"),
        pd.Series(["yes", "no", "yes"], dtype="category"),
        pd.DataFrame({"label": [1, 0, 1]}),
        tf.constant(["yes", "no", "yes"]),
        tf.constant([1, 0, 1]),
    ],
    ids=str,
)
def test_names_and_numbers_are_class_numbers(labels):
    encoded = ClassLabels(NAMES).encode(labels, "y")
    assert encoded.dtype == np.int32
    assert encoded.tolist() == [1, 0, 1]


@pytest.mark.parametrize("names", [["1", "2", "3"], [1, 2, 3], np.array([1, 2, 3])])
@pytest.mark.parametrize("labels", [[1, 2, 3], [1.0, 2.0, 3.0], ["1", "2", "3"], [3]])
def test_integers_that_are_names_are_these_names(names, labels):
    expected = [int(float(label)) - 1 for label in labels]
    assert ClassLabels(names).encode(labels, "y").tolist() == expected


def test_integers_that_are_no_names_are_numbers():
    assert ClassLabels(["1", "2", "3"]).encode([0, 1, 2], "y").tolist() == [0, 1, 2]
    assert ClassLabels(["0", "1"]).encode([0, 1], "y").tolist() == [0, 1]


@pytest.mark.parametrize("labels", [[1, 2], [2, 1, 1], [2.0]])
def test_integers_with_two_readings_are_refused_with_both(labels):
    shown = sorted({int(label) for label in labels})
    as_numbers = [str(label + 1) for label in shown]
    as_names = [str(label) for label in shown]
    with pytest.raises(ValueError) as error:
        ClassLabels(["1", "2", "3"]).encode(labels, "y")
    message = str(error.value)
    assert f"as class numbers, they are the classes {as_numbers}" in message
    assert f"as names, {as_names}" in message
    assert "[str(label) for label in y]" in message


@given(st.lists(st.integers(-3, 8), min_size=2, max_size=6, unique=True), st.data())
def test_names_passed_as_strings_always_mean_themselves(names, data):
    labels = data.draw(st.lists(st.sampled_from(names), max_size=9))
    encoded = ClassLabels(names).encode([str(label) for label in labels], "y")
    assert [names[number] for number in encoded] == labels


@given(st.lists(st.integers(-3, 8), min_size=2, max_size=6, unique=True), st.data())
def test_integers_have_one_reading_or_none(names, data):
    """Whatever is not refused is right in the only way in which it can be read."""
    labels = data.draw(st.lists(st.integers(-3, 8), min_size=1, max_size=6))
    readings = set()
    if all(label in names for label in labels):
        readings.add(tuple(names.index(label) for label in labels))
    if all(0 <= label < len(names) for label in labels):
        readings.add(tuple(labels))
    try:
        received = {tuple(ClassLabels(names).encode(labels, "y").tolist())}
    except ValueError:
        received = set()
    assert received == (readings if len(readings) == 1 else set())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.4, 0.9], "whole numbers.*row 0: 0.4, a float"),
        ([0, 0.9], "row 1: 0.9"),
        ([0, 2], r"numbers from 0 to 1, or names among \['no', 'yes'\].*row 1: 2"),
        ([-1, 0], "row 0: -1"),
        (["yes", "perhaps"], "'perhaps' in row 1, which is not among.*'no', 'yes'"),
        (["yes", 1], "not both. Received in row 0: 'yes', a str"),
        ([1, None], "`y` has no label in row 1: None"),
        ([1, float("nan")], "`y` has no label in row 1: nan"),
        (pd.Series([1, None], dtype="Int64"), "no label in row 1"),
        (["yes", ""], "'' in row 1, which is not among"),
        (["yes "], "'yes ' in row 0, which differs from the class 'yes' in white"),
        (["\u200byes"], r"'\\u200byes' in row 0, which differs from the class 'yes'"),
        ("yes", "`y` must be a list. Received one string"),
        ({"yes": 1}, "`y` must be in order. Received a dict"),
        (np.eye(2), r"one label for each text.*\(2, 2\).*y.argmax\(axis=1\)"),
        (np.zeros((2, 2, 2)), "one dimension"),
        ([[0], [1]], r"row 0: \[0\], a list"),
        ([1j], "row 0: 1j"),
        (np.array(["2020-01-01"], "datetime64[D]"), "row 0: datetime"),
        (7, "Received: int"),
    ],
)
def test_labels_that_mean_no_class_are_refused_with_their_row(labels, message):
    with pytest.raises(ValueError, match=message):
        ClassLabels(NAMES).encode(labels, "y")


def test_two_unicode_forms_of_a_label_are_not_two_labels():
    with pytest.raises(ValueError, match="'cafe\\\\u0301'.*differs from.*'caf\\\\xe9'"):
        ClassLabels(["caf\u00e9", "bar"]).encode(["cafe\u0301"], "y")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b", "a"], "`label_names` must differ. Received 'a' and 'a'"),
        (["a", "a "], "Received 'a' and 'a ', which look alike"),
        (["a", "\ufeffa"], "which look alike"),
        (["caf\u00e9", "cafe\u0301"], "which look alike"),
        ([1, "1"], "Received '1' and '1'"),
        ({"a", "b"}, "`label_names` must be in order. Received a set"),
        (frozenset("ab"), "`label_names` must be in order"),
        ({0: "a", 1: "b"}, "`label_names` must be in order. Received a dict"),
        ("ab", "`label_names` must be a list. Received one string"),
        (["a"], "two classes at least"),
        ([], "two classes at least"),
        (["a", ""], "empty name"),
        (["a", "\u200b"], "empty name"),
        (["a", None], "must hold str or int. Received in row 1: None"),
        ([0.5, 1.5], "must hold str or int. Received in row 0: 0.5"),
        ((name for name in "ab"), "`label_names` must have a length"),
        (7, "`label_names` must be a list"),
    ],
)
def test_names_that_are_not_in_order_or_not_different_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        ClassLabels(names)


@pytest.mark.parametrize(
    ("num_classes", "label_names", "message"),
    [
        (None, None, "Pass `num_classes`, or `label_names`"),
        (3, ["a", "b"], "must be the number of `label_names`.*num_classes=3"),
        (1, None, "`num_classes` must be a whole number from 2"),
        (0, None, "from 2"),
        (-2, None, "from 2"),
        (2.0, None, "from 2"),
        ("2", None, "from 2"),
        (True, None, "from 2"),
    ],
)
def test_num_classes_and_names_agree_or_are_refused(num_classes, label_names, message):
    with pytest.raises(ValueError, match=message):
        class_names(num_classes, label_names)


def test_classes_without_names_are_called_by_their_numbers():
    assert class_names(3, None) == ["0", "1", "2"]
    assert class_names(np.int64(2), ["a", "b"]) == ["a", "b"]
