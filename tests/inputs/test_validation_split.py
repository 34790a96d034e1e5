"""validation_split: which texts are held out, and that none is lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.inputs import validation_split


def test_without_shuffling_the_last_texts_are_held_out_as_in_keras():
    training, validation = validation_split(np.arange(10) % 2, 0.25, stratified=False)
    assert training.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert validation.tolist() == [7, 8, 9]


def test_stratified_the_last_texts_of_each_class_are_held_out():
    labels = np.array([0] * 8 + [1] * 4)
    training, validation = validation_split(labels, 0.25, stratified=True)
    assert validation.tolist() == [6, 7, 11]
    assert training.tolist() == [0, 1, 2, 3, 4, 5, 8, 9, 10]


@pytest.mark.parametrize(
    ("counts", "share", "held_out"),
    [
        ([40, 30, 30], 0.1, [4, 3, 3]),
        ([70, 20, 10], 0.25, [18, 5, 2]),
        ([5, 1], 0.5, [3, 0]),
        ([2, 2], 0.7, [1, 1]),
    ],
)
def test_classes_are_held_out_in_their_proportions(counts, share, held_out):
    labels = np.random.default_rng(0).permutation(
        np.repeat([0, 1, 2][: len(counts)], counts)
    )
    _, validation = validation_split(labels, share, stratified=True)
    assert np.bincount(labels[validation], minlength=len(counts)).tolist() == held_out


@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=60),
    st.floats(0.01, 0.99),
    st.booleans(),
)
def test_every_text_is_in_one_part_and_every_class_is_trained(
    labels, share, stratified
):
    labels = np.array(labels)
    try:
        training, validation = validation_split(labels, share, stratified)
    except ValueError:
        return
    assert sorted([*training, *validation]) == list(range(len(labels)))
    assert len(training) > 0
    if stratified:
        assert set(labels[training]) == set(labels)
        wanted = len(labels) - int(np.floor(len(labels) * (1 - share)))
        assert 0 < len(validation) <= wanted


@pytest.mark.parametrize("share", [-0.1, 1.0, 1.5, 32, float("nan"), True])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match="`validation_split` must be between 0 and 1"):
        validation_split(np.zeros(8, int), share, stratified=True)


def test_an_empty_part_is_refused():
    with pytest.raises(ValueError, match="leaves one part empty.*0.9 of 1 texts"):
        validation_split(np.zeros(1, int), 0.9, stratified=False)


def test_classes_of_one_text_each_leave_nothing_to_hold_out():
    with pytest.raises(ValueError, match="4 texts are of 4 classes. Pass `validation_"):
        validation_split(np.arange(4), 0.5, stratified=True)
