"""Measures: names and directions, and the levels' kappa where there is one alone."""

import numpy as np
import pytest

from siatl_keras.evaluation import MEASURES, evaluate_levels, measure_of


def test_measures_go_by_their_names_and_errors_are_better_low():
    assert all(name == measure.name for name, measure in MEASURES.items())
    assert {n for n, m in MEASURES.items() if m.lower_is_better} == {"mae", "rmse"}
    assert measure_of("mae").title == "MAE"
    with pytest.raises(ValueError, match="`measure` must be one of .*'loss'"):
        measure_of("loss")


@pytest.mark.parametrize(("said", "expected"), [(1, 1.0), (2, 0.0)])
def test_one_level_alone_agrees_or_does_not(said, expected):
    report = evaluate_levels(np.full(5, 1), np.full(5, said), "abc")
    assert report.quadratic_kappa == expected
