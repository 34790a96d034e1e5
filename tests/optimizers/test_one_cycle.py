import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigs.round_trips import through_config
from siatl_keras.optimizers import OneCycle, OneCycleMomentum

FRACTIONS = st.one_of(st.just(0.0), st.floats(0.001, 0.95))
STEPS = st.integers(1, 3000)
rate_schedules = st.builds(
    OneCycle,
    max_rate=st.floats(1e-6, 1e2),
    steps=STEPS,
    div=st.floats(1.0, 1e3),
    final_div=st.floats(1.0, 1e6),
    start_fraction=FRACTIONS,
)
momentum_schedules = st.tuples(STEPS, st.floats(0.1, 0.99), FRACTIONS).map(
    lambda drawn: OneCycleMomentum(drawn[0], drawn[1], drawn[1] / 2, drawn[2])
)


def ends(schedule):
    """The values at the start, at the turn and at the end."""
    if isinstance(schedule, OneCycle):
        highest = schedule.max_rate
        return highest / schedule.div, highest, highest / schedule.final_div
    return schedule.high, schedule.low, schedule.high


both = st.one_of(rate_schedules, momentum_schedules)


def values_of(schedule):
    return np.asarray(schedule(np.arange(schedule.steps + 5)))


@given(both)
def test_no_value_is_out_of_bounds(schedule):
    values, bounds = values_of(schedule), ends(schedule)
    tolerance = 1e-5 * max(bounds)
    assert values.min() >= min(bounds) - tolerance
    assert values.max() <= max(bounds) + tolerance


@given(both)
def test_start_and_end_are_as_asked_for(schedule):
    values, (first, turn, last) = values_of(schedule), ends(schedule)
    expected = first if schedule.start_fraction > 0 else turn
    assert values[0] == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(values[schedule.steps :], last, rtol=1e-4)


@given(both)
def test_the_turn_is_where_the_start_ends(schedule):
    turn = ends(schedule)[1]
    at_turn = float(schedule(schedule.steps * schedule.start_fraction))
    assert at_turn == pytest.approx(turn, rel=1e-4, abs=1e-6)


@given(both)
def test_no_step_jumps(schedule):
    first, turn, last = ends(schedule)
    cut = schedule.steps * schedule.start_fraction
    if cut < 1:
        return  # The first step is already past the turn.
    # A cosine is steepest in its middle: half of π times its mean slope.
    slopes = abs(turn - first) / cut, abs(last - turn) / (schedule.steps - cut)
    jumps = np.abs(np.diff(values_of(schedule)))
    assert (jumps <= max(slopes) * np.pi / 2 * 1.001 + 1e-5 * max(first, turn)).all()


@given(st.integers(10, 1000), FRACTIONS)
def test_momentum_is_lowest_where_the_rate_is_highest(steps, start_fraction):
    rate = values_of(OneCycle(1.0, steps, start_fraction=start_fraction))
    momentum = values_of(OneCycleMomentum(steps, start_fraction=start_fraction))
    assert momentum[rate.argmax()] == pytest.approx(momentum.min(), abs=1e-4)


@given(both)
def test_config_round_trip(schedule):
    again = through_config(schedule)
    np.testing.assert_array_equal(values_of(again), values_of(schedule))


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="`max_rate` must be a positive"):
        OneCycle(-1.0, 10)
    with pytest.raises(ValueError, match="`steps` must be a whole number, at least 1"):
        OneCycle(1.0, 0)
    with pytest.raises(ValueError, match=r"`start_fraction` must be a number in"):
        OneCycleMomentum(10, start_fraction=1.0)
    with pytest.raises(ValueError, match="`low` must not be above `high`"):
        OneCycleMomentum(10, high=0.8, low=0.9)
