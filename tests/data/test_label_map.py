"""LabelMap: order of classes, look-up, and errors that name the line."""

import numpy as np
import pytest

from siatl_keras.data import Examples, LabelMap


def examples(labels, path="train.tsv"):
    lines = list(range(2, len(labels) + 2))
    return Examples(["text"] * len(labels), list(labels), lines, path)


def test_names_are_sorted():
    assert LabelMap.from_examples(examples(["b", "a", "b", "Z"])).names == [
        "Z",
        "a",
        "b",
    ]


def test_integer_names_are_sorted_by_number():
    names = LabelMap.from_examples(examples(["10", "9", "-1", "0"])).names
    assert names == ["-1", "0", "9", "10"]


@pytest.mark.parametrize("labels", [["01", "1", "2"], ["2", "1", "01"]])
def test_equal_numbers_have_a_fixed_order(labels):
    assert LabelMap.from_examples(examples(labels)).names == ["01", "1", "2"]


def test_dashes_alone_are_names_not_numbers():
    assert LabelMap.from_examples(examples(["2", "--1"])).names == ["--1", "2"]


def test_encoding_gives_the_place_of_each_name():
    label_map = LabelMap(["no", "yes"])
    numbers = label_map.encode(examples(["yes", "no", "yes"]))
    assert numbers.dtype == np.int32
    assert numbers.tolist() == [1, 0, 1]
    assert len(label_map) == 2


def test_unknown_label_names_file_line_and_known_ones():
    with pytest.raises(ValueError) as caught:
        LabelMap(["no", "yes"]).encode(examples(["no", "maybe"], "test.tsv"))
    assert "test.tsv, line 3: the label 'maybe'" in str(caught.value)
    assert "['no', 'yes']" in str(caught.value)


def test_one_class_in_training_is_an_error():
    with pytest.raises(ValueError, match="train.tsv: all 3 examples .* 'a'"):
        LabelMap.from_examples(examples(["a", "a", "a"]))


@pytest.mark.parametrize("names", [["a"], [], ["a", "b", "a"]])
def test_names_must_be_two_or_more_and_differ(names):
    with pytest.raises(ValueError, match="Received"):
        LabelMap(names)
