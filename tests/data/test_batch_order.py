"""batch_order: every example once, full batches, similar lengths, a seed's order."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from siatl_keras.data import batch_order
from siatl_keras.data.batch_order import BATCHES_PER_WINDOW


def order(lengths, batch_size=4, seed=0, epoch=0):
    lengths = tf.constant(lengths, tf.int64)
    return batch_order(lengths, batch_size, seed, tf.constant(epoch)).to_list()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 80), min_size=1, max_size=200),
    st.integers(1, 9),
    st.integers(-(2**31), 2**31),
    st.integers(0, 1000),
)
def test_every_example_comes_once_and_all_batches_but_one_are_full(
    lengths, batch_size, seed, epoch
):
    batches = order(lengths, batch_size, seed, epoch)
    assert sorted(sum(batches, [])) == list(range(len(lengths)))
    sizes = sorted((len(batch) for batch in batches), reverse=True)
    assert sizes[:-1] == [batch_size] * (len(sizes) - 1)
    assert 0 < sizes[-1] <= batch_size


LENGTHS = np.random.default_rng(0).integers(1, 80, 4 * BATCHES_PER_WINDOW * 3).tolist()


def test_the_same_seed_and_epoch_give_the_same_order():
    assert order(LENGTHS, seed=3, epoch=2) == order(LENGTHS, seed=3, epoch=2)


@pytest.mark.parametrize("other", [{"epoch": 1}, {"seed": 1}])
def test_another_epoch_or_seed_gives_other_batches_in_another_order(other):
    first, second = order(LENGTHS), order(LENGTHS, **other)
    assert first != second
    assert {frozenset(batch) for batch in first} != {frozenset(b) for b in second}


def test_texts_of_a_batch_have_similar_lengths():
    def spread(batches):
        return np.mean([np.ptp([LENGTHS[i] for i in batch]) for batch in batches])

    unsorted = np.arange(len(LENGTHS)).reshape(-1, 4).tolist()
    assert spread(order(LENGTHS)) < spread(unsorted) / 8


def test_batches_do_not_come_in_order_of_length():
    longest = [max(LENGTHS[i] for i in batch) for batch in order(LENGTHS)]
    assert abs(np.corrcoef(longest, range(len(longest)))[0, 1]) < 0.5


def test_batches_come_from_the_whole_data():
    # Not from neighbours in the file: shuffling comes before the windows.
    first_window = sum(order(LENGTHS)[:4], [])
    assert np.ptp(first_window) > len(LENGTHS) / 2
