"""What the heads of all tasks begin with."""

import numpy as np

from siatl_keras.tasks import MultiLabel, Ordinal, Regression, SingleLabel
from siatl_keras.tasks.yes_or_no_start import CERTAIN, yes_or_no_start

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(0, 1, (300, 12))
DIRECTION = RANDOM.normal(0, 1, 12)
NUMBERS = FEATURES @ DIRECTION


def outputs(start, features=FEATURES):
    kernel, bias = start
    return features @ kernel + bias


def test_each_question_is_answered_by_those_who_were_asked_it():
    answers = np.stack([NUMBERS > 0, NUMBERS < 0, NUMBERS > 9e9, NUMBERS > -9e9], 1)
    asked = np.ones_like(answers)
    asked[NUMBERS > 1, 1] = False
    found = outputs(yes_or_no_start(FEATURES, answers, asked))
    assert ((found[:, 0] > 0) == answers[:, 0]).mean() > 0.9
    assert ((found[:, 1] > 0) == answers[:, 1]).mean() > 0.8
    assert (found[:, 2] == -CERTAIN).all() and (found[:, 3] == CERTAIN).all()


def test_a_question_that_nobody_was_asked_is_open():
    answers = np.zeros((300, 1), bool)
    assert outputs(yes_or_no_start(FEATURES, answers, answers)).any() == 0


def test_labels_levels_numbers_and_classes_have_their_starts():
    labels = np.stack([NUMBERS > 1, NUMBERS < -1], 1).astype("float32")
    found = outputs(MultiLabel(["high", "low"]).linear_start(FEATURES, labels))
    assert ((found > 0) == (labels > 0)).mean() > 0.75

    levels = np.digitize(NUMBERS, [-2, 0, 2])
    task = Ordinal(["a", "b", "c", "d"])
    found = outputs(task.linear_start(FEATURES, levels)).astype("float32")
    assert found.shape == (300, 3)
    assert task.report(levels, found).quadratic_kappa > 0.8

    task = Regression(mean=100.0, std=5.0)
    found = outputs(task.linear_start(FEATURES, 100 + NUMBERS))
    assert found.shape == (300, 1)
    np.testing.assert_allclose(found[:, 0] * 5 + 100, 100 + NUMBERS, atol=0.2)

    task = SingleLabel(["a", "b", "c", "d"])
    found = outputs(task.linear_start(FEATURES, levels))
    assert task.report(levels, found).accuracy > 0.6
