"""LabelNames: which label means which number, and which labels mean none or two."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.data import Examples
from siatl_keras.inputs import Column
from siatl_keras.tasks import LabelNames

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
    encoded = LabelNames(NAMES).encode(Column(labels, "y"))
    assert encoded.dtype == np.int32
    assert encoded.tolist() == [1, 0, 1]


@pytest.mark.parametrize("names", [["1", "2", "3"], [1, 2, 3], np.array([1, 2, 3])])
@pytest.mark.parametrize("labels", [[1, 2, 3], [1.0, 2.0, 3.0], ["1", "2", "3"], [3]])
def test_integers_that_are_names_are_these_names(names, labels):
    expected = [int(float(label)) - 1 for label in labels]
    assert LabelNames(names).encode(Column(labels, "y")).tolist() == expected


def test_integers_that_are_no_names_are_numbers():
    assert LabelNames(["1", "2", "3"]).encode(Column([0, 1, 2], "y")).tolist() == [
        0,
        1,
        2,
    ]
    assert LabelNames(["0", "1"]).encode(Column([0, 1], "y")).tolist() == [0, 1]


@pytest.mark.parametrize("labels", [[1, 2], [2, 1, 1], [2.0]])
def test_integers_with_two_readings_are_refused_with_both(labels):
    shown = sorted({int(label) for label in labels})
    as_numbers = [str(label + 1) for label in shown]
    as_names = [str(label) for label in shown]
    with pytest.raises(ValueError) as error:
        LabelNames(["1", "2", "3"]).encode(Column(labels, "y"))
    message = str(error.value)
    assert f"as class numbers, they are the classes {as_numbers}" in message
    assert f"as names, {as_names}" in message
    assert "[str(label) for label in y]" in message


@given(st.lists(st.integers(-3, 8), min_size=2, max_size=6, unique=True), st.data())
def test_names_passed_as_strings_always_mean_themselves(names, data):
    labels = data.draw(st.lists(st.sampled_from(names), max_size=9))
    encoded = LabelNames(names).encode(Column([str(label) for label in labels], "y"))
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
        received = {tuple(LabelNames(names).encode(Column(labels, "y")).tolist())}
    except ValueError:
        received = set()
    assert received == (readings if len(readings) == 1 else set())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.4, 0.9], "`y`, row 0: labels must be.*whole numbers.*0.4, a float"),
        ([0, 0.9], "row 1.*0.9"),
        ([0, 2], r"`y`, row 1: 2 is neither.* 0 to 1, nor among.*\['no', 'yes'\]"),
        ([-1, 0], "row 0: -1"),
        (["yes", "perhaps"], "`y`, row 1: the label 'perhaps' is not.*'no', 'yes'"),
        (["yes", 1], "row 0.*not both. Received: 'yes', a str"),
        ([1, None], "`y`, row 1: there is no label, but None"),
        ([1, float("nan")], "`y`, row 1: there is no label, but nan"),
        (pd.Series([1, None], dtype="Int64"), "row 1: there is no label"),
        (["yes", ""], "row 1: the label '' is not among"),
        (["yes "], "row 0: the label 'yes ' differs from the class 'yes' in white"),
        (["\u200byes"], r"row 0: the label '\\u200byes' differs from.*'yes' in white"),
        ("yes", "`y` must be a list. Received one string"),
        ({"yes": 1}, "`y` must be in order. Received a dict"),
        (np.eye(4)[:2], r"one label for each text.*\(2, 4\).*a number for each"),
        (np.zeros((2, 2, 2)), "one dimension"),
        ([[0], [1]], r"row 0.*\[0\], a list"),
        ([1j], "row 0.*1j"),
        (np.array(["2020-01-01"], "datetime64[D]"), "row 0.*datetime"),
        (7, "Received: int"),
    ],
)
def test_labels_that_mean_no_class_are_refused_with_their_row(labels, message):
    with pytest.raises(ValueError, match=message):
        LabelNames(NAMES).encode(Column(labels, "y"))


def test_two_unicode_forms_of_a_label_are_not_two_labels():
    with pytest.raises(ValueError, match="'cafe\\\\u0301'.*differs from.*'caf\\\\xe9'"):
        LabelNames(["caf\u00e9", "bar"]).encode(Column(["cafe\u0301"], "y"))


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
        (["a"], "`label_names` must be two at least"),
        ([], "two at least"),
        ([True, False], "must hold str or int. Received in row 0: True"),
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
        LabelNames(names)


def file(labels, path="train.tsv"):
    lines = list(range(2, len(labels) + 2))
    return Column.of_file(Examples(["text"] * len(labels), list(labels), lines, path))


def found(labels):
    column = file(labels)
    return LabelNames.found_in(
        (column.place(row), label) for row, label in enumerate(labels)
    )


def test_names_found_are_sorted():
    assert list(found(["b", "a", "b", "Z"])) == ["Z", "a", "b"]


def test_integer_names_are_sorted_by_number():
    assert list(found(["10", "9", "-1", "0"])) == ["-1", "0", "9", "10"]


@pytest.mark.parametrize("labels", [["01", "1", "2"], ["2", "1", "01"]])
def test_equal_numbers_have_a_fixed_order(labels):
    assert list(found(labels)) == ["01", "1", "2"]


def test_dashes_alone_are_names_not_numbers():
    assert list(found(["2", "--1"])) == ["--1", "2"]


def test_one_label_alone_is_nothing_to_tell_apart():
    with pytest.raises(ValueError, match="train.tsv, line 4: .*only label is 'a'"):
        found(["a", "a", "a"])


def test_labels_that_only_look_alike_are_refused_with_file_and_lines():
    with pytest.raises(ValueError) as caught:
        found(["yes", "no", "yes", "no", "yes\u200b"])
    assert str(caught.value) == (
        "train.tsv, line 2 and train.tsv, line 6: the labels 'yes' and 'yes\\u200b' "
        "differ only in characters that cannot be seen. Write them alike."
    )


def test_labels_of_a_file_are_named_with_their_line():
    names = LabelNames(["no", "yes"])
    assert names.encode(file(["yes", "no", "yes"])).tolist() == [1, 0, 1]
    with pytest.raises(ValueError) as caught:
        names.encode(file(["no", "maybe"], "test.tsv"))
    assert "test.tsv, line 3: the label 'maybe'" in str(caught.value)
    assert "['no', 'yes']" in str(caught.value)
    with pytest.raises(ValueError, match=r"line 2: .*'no\\u200b' differs from .*'no'"):
        names.encode(file(["no\u200b"], "test.tsv"))


def test_names_in_another_unicode_form_are_those_of_the_files():
    names = LabelNames(["cafe\u0301", "no "])
    assert names.encode(file(["no", "caf\u00e9"])).tolist() == [1, 0]


def test_messages_quote_little_of_many_long_labels():
    names = [f"{index}{'x' * 1000}" for index in range(1000)]
    with pytest.raises(ValueError) as caught:
        LabelNames(names).encode(file(["y" * 1000]))
    assert "and 995 more" in str(caught.value) and len(str(caught.value)) < 500
