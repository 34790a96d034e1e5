import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigs.round_trips import through_config
from siatl_keras.optimizers import GeometricDecay

positive = st.floats(1e-3, 1e3)
lengths = st.integers(2, 100)
positions = st.integers(0, 200)


@given(positive, positive, lengths)
def test_it_goes_from_initial_to_final(initial, final, length):
    assert GeometricDecay(initial, final, length)(0) == pytest.approx(initial)
    assert GeometricDecay(initial, final, length)(length - 1) == final


@given(positions, positive, positive, lengths)
def test_it_stays_between_initial_and_final(position, initial, final, length):
    value = GeometricDecay(initial, final, length)(position)
    low, high = sorted((initial, final))
    assert low * (1 - 1e-9) <= value <= high * (1 + 1e-9)


@given(st.integers(1, 98), positive, positive)
def test_each_step_has_the_same_factor(position, initial, final):
    before, here, after = (
        GeometricDecay(initial, final, 100)(p)
        for p in (position - 1, position, position + 1)
    )
    assert here / before == pytest.approx(after / here)


@given(positive, positive, lengths, st.integers(0, 1000))
def test_it_is_constant_after_its_length(initial, final, length, more):
    assert GeometricDecay(initial, final, length)(length - 1 + more) == final


def test_a_decay_of_one_position_is_at_its_end():
    assert GeometricDecay(0.2, 0.1, 1)(0) == 0.1


def test_it_gives_the_values_of_the_authors_code(shared_parity):
    expected = np.load(shared_parity / "tiny/reference.npz")["gamma_per_epoch"]
    values = [
        GeometricDecay(np.exp(-1.6), np.exp(-2.3), 15)(epoch) for epoch in range(15)
    ]
    np.testing.assert_allclose(values, expected, rtol=1e-6)


@given(positive, positive, lengths, positions)
def test_optimizers_steps_give_what_whole_numbers_give(initial, final, steps, position):
    decay = through_config(GeometricDecay(initial, final, steps))
    in_graph = float(decay(keras.ops.convert_to_tensor(position)))
    assert in_graph == pytest.approx(decay(position), rel=1e-4)
