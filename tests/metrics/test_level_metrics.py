"""Level metrics: scikit-learn's figures of the median level."""

import warnings

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score, cohen_kappa_score, mean_absolute_error

from siatl_keras.metrics.level_metrics import (
    LevelAccuracy,
    LevelError,
    QuadraticKappa,
    level_log_probabilities,
    median_levels,
)

LOGITS = arrays("float64", (4, 3), elements=st.floats(-200, 200))
RANDOM = np.random.default_rng(0)
TRUE = RANDOM.integers(0, 4, 60)
OUTPUTS = RANDOM.normal(size=(60, 3)).astype("float32") * 2
WEIGHTS = RANDOM.uniform(0, 2, 60).astype("float32")


def chain(outputs):
    """The probabilities of the levels, one step of the chain after another."""
    goes_on = 1 / (1 + np.exp(-outputs.astype("float64")))
    reached, rows = np.ones(len(outputs)), []
    for level in range(outputs.shape[1]):
        rows.append(reached * (1 - goes_on[:, level]))
        reached = reached * goes_on[:, level]
    return np.stack([*rows, reached], -1)


@given(LOGITS)
def test_probabilities_are_those_of_the_chain_and_never_nan(logits):
    logs = np.array(level_log_probabilities(logits.astype("float32")))
    assert np.isfinite(logs).all()
    np.testing.assert_allclose(np.exp(logs).sum(-1), 1.0, atol=1e-5)
    np.testing.assert_allclose(np.exp(logs), chain(logits), atol=1e-5)


def test_half_of_the_probability_lies_at_or_below_the_median_level():
    probabilities = chain(OUTPUTS)
    levels = np.array(median_levels(np.log(probabilities).astype("float32")))
    expected = (np.cumsum(probabilities, -1) >= 0.5).argmax(-1)
    np.testing.assert_array_equal(levels, expected)
    assert set(levels) == {0, 1, 2, 3}


def figures(metric, weights=None):
    logs = np.array(level_log_probabilities(OUTPUTS))
    for part in (slice(0, 25), slice(25, 26), slice(26, 60)):
        weight = None if weights is None else weights[part]
        metric.update_state(TRUE[part], logs[part], weight)
    return float(metric.result()), np.array(median_levels(logs))


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_figures_over_several_batches_are_scikit_learn_s(weights):
    how = {"sample_weight": weights}
    accuracy, levels = figures(LevelAccuracy(), weights)
    assert accuracy == pytest.approx(accuracy_score(TRUE, levels, **how))
    error, _ = figures(LevelError(), weights)
    assert error == pytest.approx(mean_absolute_error(TRUE, levels, **how))
    kappa, _ = figures(QuadraticKappa(4), weights)
    expected = cohen_kappa_score(TRUE, levels, weights="quadratic", **how)
    assert kappa == pytest.approx(expected, abs=1e-5)


def test_kappa_starts_over_and_comes_back_from_its_config():
    metric = QuadraticKappa(4, name="k")
    before, _ = figures(metric)
    metric.reset_state()
    assert float(metric.result()) == 0.0
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(metric)
    )
    assert (again.num_levels, again.name) == (4, "k")
    assert figures(again)[0] == before
    with pytest.raises(ValueError, match="num_levels=1"):
        QuadraticKappa(1)


def test_full_agreement_is_1_also_where_one_level_alone_occurs():
    metric = QuadraticKappa(3)
    sure = np.log(np.full((2, 3), 1e-9) + np.eye(3)[[1, 1]]).astype("float32")
    metric.update_state([1, 1], sure)
    assert float(metric.result()) == 1.0


@given(arrays("float64", (6, 3), elements=st.floats(-9, 9)))
def test_no_level_has_less_expected_distance_than_the_median(logits):
    probabilities = chain(logits)
    levels = np.array(median_levels(np.log(probabilities).astype("float32")))
    steps = np.abs(np.arange(4)[:, None] - np.arange(4))
    distances = probabilities @ steps  # [texts, levels]
    chosen = distances[range(6), levels]
    np.testing.assert_allclose(chosen, distances.min(-1), atol=1e-5)


def sure(levels, num_levels):
    """Log probabilities whose median is known."""
    return np.log(np.full((len(levels), num_levels), 1e-9) + np.eye(num_levels)[levels])


@given(st.integers(2, 6), st.integers(1, 30), st.integers(0, 999), st.booleans())
def test_kappa_of_random_levels_is_scikit_learn_s(levels, texts, seed, weighted):
    random = np.random.default_rng(seed)
    true, said = random.integers(0, levels, (2, texts))
    weights = random.uniform(0.1, 2, texts) if weighted else None
    metric = QuadraticKappa(levels)
    for rows in np.array_split(np.arange(texts), 2):
        part = None if weights is None else weights[rows]
        metric.update_state(true[rows], sure(said[rows], levels), part)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of one level alone.
        expected = cohen_kappa_score(
            true,
            said,
            labels=range(levels),
            weights="quadratic",
            sample_weight=weights,
        )
    # scikit-learn's is NaN where one level alone is true and said.
    expected = 1.0 if np.isnan(expected) else expected
    assert float(metric.result()) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("scale", [1e-12, 1e-4, 1e6])
def test_kappa_is_the_same_whatever_the_scale_of_weights(scale):
    values = []
    for weights in (WEIGHTS, WEIGHTS * scale):
        values.append(figures(QuadraticKappa(4), weights)[0])
    assert values[1] == pytest.approx(values[0], abs=1e-5)


def test_texts_without_weight_and_empty_batches_change_nothing():
    metric = QuadraticKappa(3)
    metric.update_state([0, 1], sure([0, 2], 3), [0.0, 0.0])
    assert float(metric.result()) == 0.0
    metric.update_state([[0], [1], [2]], sure([0, 2, 2], 3))
    before = float(metric.result())
    metric.update_state(np.zeros(0, "int32"), np.zeros((0, 3), "float32"))
    assert float(metric.result()) == before > 0


def test_systematic_disagreement_is_below_0():
    metric = QuadraticKappa(2)
    metric.update_state([0, 1], sure([1, 0], 2))
    assert float(metric.result()) == pytest.approx(-1.0)
