"""Intervals of figures: right on cases that can be counted, and never outside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from siatl_keras.evaluation import MEASURES, Resampled, bootstrap_interval

OF_SUMS = [name for name, measure in MEASURES.items() if measure.columns]


def test_the_interval_of_an_accuracy_is_the_binomial_s():
    right = np.arange(400) < 300
    interval = bootstrap_interval("accuracy", np.ones(400, int), right.astype(int))
    low, high = stats.binom(400, 0.75).ppf([0.025, 0.975]) / 400
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.006)


def test_the_interval_of_a_mean_error_is_the_normal_one():
    random = np.random.default_rng(0)
    targets, errors = random.normal(size=(2, 1500))
    interval = bootstrap_interval("mae", targets, targets + errors)
    mean, error = np.abs(errors).mean(), np.abs(errors).std() / np.sqrt(1500)
    expected = mean - 1.96 * error, mean + 1.96 * error
    assert (interval.low, interval.high) == pytest.approx(expected, abs=0.008)


@pytest.mark.parametrize("name", OF_SUMS)
def test_drawn_as_they_are_texts_have_their_own_figure(name):
    random = np.random.default_rng(1)
    targets, answers = random.integers(0, 3, (2, 60))
    if name in ("rmse", "mae", "pearson"):
        targets, answers = targets + 0.5, answers + 0.25
    texts = Resampled(targets, answers)
    measure = MEASURES[name]
    columns = measure.columns(targets, answers, 3)
    sums = np.concatenate([[60], columns.sum(0)])[None]
    figure = texts.figure(measure, answers, 3)
    assert figure(texts.whole) == pytest.approx(measure.of_sums(sums))
    drawn = np.concatenate([figure(part) for part in texts.draws(1100, seed=0)])
    assert len(drawn) == 1100 and np.isfinite(drawn).all()


@given(arrays("int64", (2, 20), elements=st.integers(0, 3)))
def test_an_interval_is_in_order_and_of_shares_between_0_and_1(rows):
    interval = bootstrap_interval("macro_f1", *rows, num_classes=4)
    assert 0 <= interval.low <= interval.high <= 1
    assert bootstrap_interval("macro_f1", *rows, num_classes=4) == interval


def test_more_texts_make_it_narrower():
    widths = []
    for texts in (50, 5000):
        answers = np.arange(texts) % 5 == 0
        interval = bootstrap_interval("accuracy", np.zeros(texts, bool), answers)
        widths.append(interval.high - interval.low)
    assert widths[0] > 5 * widths[1]
