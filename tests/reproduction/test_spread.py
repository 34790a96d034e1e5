import pytest

from recipes.reproduction.spread import Spread


def test_the_deviation_is_that_of_a_sample():
    spread = Spread.of([1.0, 2.0, 3.0])
    assert (spread.mean, spread.std, spread.count) == (2.0, pytest.approx(1.0), 3)


def test_one_value_has_no_deviation_and_shows_none():
    assert Spread.of([0.5]) == Spread(0.5, 0.0, 1)
    assert str(Spread.of([0.5])) == "0.500"
