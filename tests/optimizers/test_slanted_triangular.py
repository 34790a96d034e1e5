import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigs.round_trips import through_config
from siatl_keras.optimizers import SlantedTriangular

schedules = st.builds(
    SlantedTriangular,
    max_rate=st.floats(1e-6, 1e2),
    steps=st.integers(1, 3000),
    cut_fraction=st.floats(0.0, 0.95),
    ratio=st.floats(1.0, 1e4),
)


def rates(schedule, beyond=5):
    return np.asarray(schedule(np.arange(schedule.steps + beyond)))


def test_rates_are_those_of_the_paper_where_its_cut_is_a_whole_number():
    schedule = SlantedTriangular(0.01, steps=1000)
    for step in (0, 1, 50, 99, 100, 101, 500, 999, 1000):
        cut = 100
        p = step / cut if step < cut else 1 - (step - cut) / (cut * (1 / 0.1 - 1))
        expected = 0.01 * (1 + p * (32 - 1)) / 32
        assert float(schedule(step)) == pytest.approx(expected, rel=1e-5)


@given(schedules)
def test_the_peak_is_the_highest_rate_at_the_cut(schedule):
    cut = int(schedule.steps * schedule.cut_fraction)
    values = rates(schedule)
    assert values[cut] == pytest.approx(schedule.max_rate, rel=1e-5)
    assert values.max() <= schedule.max_rate * (1 + 1e-5)


@given(schedules)
def test_both_ends_are_the_lowest_rate_and_no_step_is_lower(schedule):
    lowest = schedule.max_rate / schedule.ratio
    values = rates(schedule)
    tolerance = 1e-6 * schedule.max_rate
    assert (values >= lowest - tolerance).all()
    np.testing.assert_allclose(values[schedule.steps :], lowest, atol=tolerance)
    if int(schedule.steps * schedule.cut_fraction):
        np.testing.assert_allclose(values[0], lowest, atol=tolerance)


@given(schedules)
def test_no_step_jumps(schedule):
    cut = int(schedule.steps * schedule.cut_fraction)
    span = schedule.max_rate - schedule.max_rate / schedule.ratio
    # A rise of `cut` steps, a fall of the others.
    steepest = span / min(max(cut, 1), schedule.steps - cut)
    jumps = np.abs(np.diff(rates(schedule)))
    assert (jumps <= steepest * 1.001 + 1e-6 * schedule.max_rate).all()


@given(schedules)
def test_config_round_trip(schedule):
    np.testing.assert_array_equal(rates(through_config(schedule)), rates(schedule))


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="`max_rate` must be a positive"):
        SlantedTriangular(0.0, 10)
    with pytest.raises(ValueError, match=r"`cut_fraction` must be a number in"):
        SlantedTriangular(0.1, 10, cut_fraction=1.0)
    with pytest.raises(ValueError, match="`steps` must be a whole number, at least 1"):
        SlantedTriangular(0.1, 0)
