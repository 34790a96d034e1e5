"""Calibration against sums done by hand, and against what it must never be."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import brier_score_loss

from siatl_keras.evaluation import calibration_of_answers, calibration_of_labels
from siatl_keras.evaluation.calibration import calibration_figures, calibration_text

# Two answers of 0.9, one of them right, and two of 0.6, both right.
TARGETS = [0, 1, 1, 1]
PROBABILITIES = [[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]
ANSWERS = [0, 0, 1, 1]


def test_errors_are_distances_weighed_by_answers():
    found = calibration_of_answers(TARGETS, ANSWERS, PROBABILITIES)
    assert found.ece == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)
    assert [each.answers for each in found.bins] == [2, 2]
    assert [each.right for each in found.bins] == [1.0, 0.5]
    assert found.brier == pytest.approx((0.02 + 1.62 + 0.32 + 0.32) / 4)


def test_the_table_says_what_abstaining_costs_and_gains():
    found = calibration_of_answers(TARGETS, ANSWERS, PROBABILITIES)
    rows = {row.at_least: (row.answered, row.right) for row in found.coverage}
    assert rows[0.0] == (1.0, 0.75)
    assert rows[0.6] == (1.0, 0.75)
    assert rows[0.7] == (0.5, 0.5)
    assert rows[0.95] == (0.0, None)


def test_confidence_is_that_of_the_answer_not_of_the_likeliest():
    # A median level need not be the likeliest.
    found = calibration_of_answers([1], [1], [[0.4, 0.25, 0.35]])
    assert found.bins[0].confidence == 0.25


def test_labels_are_each_an_answer():
    found = calibration_of_labels([[1, 0], [0, 0]], [[0.9, 0.2], [0.9, 0.2]])
    assert found.ece == pytest.approx(0.5 * 0.4 + 0.5 * 0.2)
    assert found.coverage == ()
    assert found.brier == pytest.approx(
        brier_score_loss([1, 0, 0, 0], [0.9, 0.2, 0.9, 0.2])
    )


@given(
    arrays("float64", (30, 3), elements=st.floats(0.01, 1.0)),
    arrays("int64", 30, elements=st.integers(0, 2)),
)
def test_no_bin_is_lost_and_no_error_above_one(weights, targets):
    probabilities = weights / weights.sum(1, keepdims=True)
    answers = probabilities.argmax(1)
    found = calibration_of_answers(targets, answers, probabilities)
    assert sum(each.answers for each in found.bins) == 30
    assert 0 <= found.ece <= 1 and 0 <= found.brier <= 2
    right = sum(each.right * each.answers for each in found.bins)
    assert right == pytest.approx((answers == targets).sum())
    answered = [row.answered for row in found.coverage]
    assert answered == sorted(answered, reverse=True) and answered[0] == 1.0
    json.dumps(found.to_dict(), allow_nan=False)


def test_answers_drawn_from_their_probabilities_have_no_error():
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet([1.0] * 3, 20_000)
    targets = [generator.choice(3, p=row) for row in probabilities]
    answers = probabilities.argmax(1)
    assert calibration_of_answers(targets, answers, probabilities).ece < 0.012
    surer = probabilities**3 / (probabilities**3).sum(1, keepdims=True)
    assert calibration_of_answers(targets, answers, surer).ece > 0.15


def test_text_and_figures_are_those_of_reports():
    found = calibration_of_answers(TARGETS, ANSWERS, PROBABILITIES)
    text = found.to_text()
    assert "calibration error 0.4000" in text and "Brier score 0.5700" in text
    assert "      0.70           50.0 %" in text.replace("%", " %")
    assert calibration_text(found) == "\n" + text and calibration_text(None) == ""
    assert calibration_figures(None) == {}
    assert calibration_figures(found)["calibration"]["ece"] == found.ece
