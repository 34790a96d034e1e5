import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from siatl_keras.evaluation import fit_linear_model
from siatl_keras.evaluation.linear_model import STRENGTHS
from siatl_keras.tasks import SingleLabel

RANDOM = np.random.default_rng(0)
LABELS = np.arange(60) % 3
TASK = SingleLabel(["a", "b", "c"])
# Ten features of which the first alone tells the class, with noise.
FEATURES = RANDOM.normal(size=(60, 10)) + 1.5 * LABELS[:, None] * (np.arange(10) == 0)


def test_the_regularisation_is_the_best_on_what_was_held_out():
    train, held_out = slice(0, 30), slice(30, 60)
    _, best, loss = fit_linear_model(
        TASK, FEATURES[train], LABELS[train], FEATURES[held_out], LABELS[held_out]
    )
    losses = {}
    for strength in STRENGTHS:
        other = LogisticRegression(C=strength, max_iter=2000)
        other.fit(FEATURES[train], LABELS[train])
        probabilities = other.predict_proba(FEATURES[held_out])
        losses[strength] = log_loss(LABELS[held_out], probabilities)
    assert min(losses, key=losses.get) == best
    assert loss == pytest.approx(losses[best])
    assert STRENGTHS[0] < best < STRENGTHS[-1]


def test_held_out_texts_may_lack_a_class():
    some = LABELS < 2
    _, _, loss = fit_linear_model(TASK, FEATURES, LABELS, FEATURES[some], LABELS[some])
    assert 0 < loss < 2


def test_balanced_classes_are_weighted_by_rarity():
    # Features that tell nothing: what is predicted is what is common.
    labels = (np.arange(60) % 10 == 0).astype(int)
    data = (RANDOM.normal(size=(60, 2)), labels)
    shares = [
        fit_linear_model(SingleLabel(["a", "b"]), *data, *data, class_weight=weight)[0]
        .predict_proba(data[0])[:, 1]
        .mean()
        for weight in (None, "balanced")
    ]
    assert shares[0] < 0.2 and 0.4 < shares[1] < 0.6
