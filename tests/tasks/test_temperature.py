"""The fitted temperature against one that is known, and where hardly anything is."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from siatl_keras.tasks import MultiLabel, Ordinal, SingleLabel
from siatl_keras.tasks.temperature import fitted_temperature

NAMES = ["a", "b", "c"]


def drawn(texts, seed=0):
    """Returns logits, and classes drawn from their probabilities."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 1.5, (texts, 3))
    task = SingleLabel(NAMES)
    rows = task.probabilities(logits, "float64")
    return logits, np.array([generator.choice(3, p=row) for row in rows])


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_outputs_that_are_too_sure_by_a_factor_are_divided_by_it(factor):
    logits, targets = drawn(20_000)
    task = SingleLabel(NAMES).tuned_on(targets, logits * factor)
    assert task.confidence.temperature == pytest.approx(factor, rel=0.05)


def test_it_is_the_lowest_loss_of_all():
    logits, targets = drawn(2_000)
    task = SingleLabel(NAMES).tuned_on(targets, 2 * logits)

    def loss(temperature):
        scaled = SingleLabel(NAMES, temperature)
        return log_loss(targets, scaled.probabilities(2 * logits, "float64"))

    best = task.confidence.temperature
    assert all(loss(best) <= loss(best * by) + 1e-4 for by in (0.8, 0.95, 1.05, 1.25))


def test_few_texts_move_it_little():
    logits = np.eye(3)[[0, 1, 2]] * 2.0
    few = SingleLabel(NAMES).tuned_on(np.arange(3), logits).confidence.temperature
    many = SingleLabel(NAMES).tuned_on(
        np.tile(np.arange(3), 100), np.tile(logits, (100, 1))
    )
    # All are right: the likelihood alone would have it at 0.
    assert 0.6 < few < 1 and many.confidence.temperature < 0.4


@pytest.mark.parametrize("outputs", [np.zeros((0, 3)), np.full((4, 3), np.nan)])
def test_without_finite_outputs_it_is_1(outputs):
    assert fitted_temperature(lambda *_: 0.0, np.zeros(4), outputs) == 1.0


def test_levels_and_labels_are_fitted_too():
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 1.5, (20_000, 2))
    task = Ordinal(NAMES)
    rows = task.probabilities(logits, "float64")
    levels = np.array([generator.choice(3, p=row) for row in rows])
    assert task.tuned_on(levels, 2 * logits).confidence.temperature == pytest.approx(
        2, rel=0.05
    )
    has = generator.random((20_000, 2)) < 1 / (1 + np.exp(-logits))
    labels = MultiLabel(["x", "y"]).tuned_on(has.astype("float32"), 2 * logits)
    assert labels.confidence.temperature == pytest.approx(2, rel=0.05)


def test_what_abstains_still_does():
    logits, targets = drawn(100)
    task = SingleLabel(NAMES).abstaining(0.7).tuned_on(targets, logits)
    assert task.confidence.abstain_below == 0.7
