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


def test_labels_that_only_look_alike_are_refused_with_file_and_lines():
    labels = ["yes", "no", "yes", "no", "yes\u200b"]
    with pytest.raises(ValueError) as caught:
        LabelMap.from_examples(examples(labels))
    assert str(caught.value) == (
        "train.tsv, lines 2 and 6: the labels 'yes' and 'yes\\u200b' differ only in "
        "characters that cannot be seen. Write them alike."
    )


@pytest.mark.parametrize(
    "other", ["yes\u200d", "\ufeffyes", " yes", "y\u00ades", "yes\ufe0f"]
)
def test_names_must_differ_in_what_can_be_seen(other):
    with pytest.raises(ValueError, match="must differ in what can be seen"):
        LabelMap(["yes", "no", other])


def test_a_label_that_only_looks_like_a_known_one_is_told_apart():
    with pytest.raises(ValueError, match=r"line 2: .*'no\\u200b' .*differs from 'no'"):
        LabelMap(["no", "yes"]).encode(examples(["no\u200b"], "test.tsv"))


def test_names_in_another_unicode_form_are_those_of_the_files():
    label_map = LabelMap(["cafe\u0301", "no "])
    assert label_map.encode(examples(["no", "caf\u00e9"])).tolist() == [1, 0]


def test_messages_quote_little_of_many_long_labels():
    names = [f"{index}{'x' * 1000}" for index in range(1000)]
    with pytest.raises(ValueError) as caught:
        LabelMap(names).encode(examples(["y" * 1000]))
    assert "and 995 more" in str(caught.value) and len(str(caught.value)) < 500
