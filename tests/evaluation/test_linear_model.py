import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from siatl_keras.evaluation import choose_strength
from siatl_keras.evaluation.linear_model import STRENGTHS
from siatl_keras.tasks import SingleLabel

RANDOM = np.random.default_rng(0)
LABELS = np.arange(60) % 3
TASK = SingleLabel(["a", "b", "c"])
# Ten features of which the first alone tells the class, with noise.
FEATURES = RANDOM.normal(size=(60, 10)) + 1.5 * LABELS[:, None] * (np.arange(10) == 0)


def choose_by_hand(parts):
    """Slices to learn from and to hold out; the losses by strength."""
    losses = {}
    for strength in STRENGTHS:
        answers, truth = [], []
        for train, held_out in parts:
            other = LogisticRegression(C=strength, max_iter=2000)
            other.fit(FEATURES[train], LABELS[train])
            answers.append(other.predict_proba(FEATURES[held_out]))
            truth.append(LABELS[held_out])
        losses[strength] = log_loss(np.concatenate(truth), np.concatenate(answers))
    return losses


@pytest.mark.parametrize("folds", [1, 3])
def test_the_regularisation_is_the_best_on_what_was_held_out(folds):
    rows = np.arange(60)
    if folds == 1:
        parts = [(rows[:30], rows[30:])]
    else:
        parts = [(rows[rows // 20 != n], rows[rows // 20 == n]) for n in range(folds)]
    held_out = np.concatenate([part[1] for part in parts])
    best, loss, outputs = choose_strength(
        TASK,
        [(FEATURES[train], LABELS[train], FEATURES[out]) for train, out in parts],
        LABELS[held_out],
    )
    losses = choose_by_hand(parts)
    assert min(losses, key=losses.get) == best
    assert loss == pytest.approx(losses[best])
    assert loss == pytest.approx(TASK.mean_loss(LABELS[held_out], outputs))
    assert STRENGTHS[0] < best < STRENGTHS[-1]


def test_held_out_texts_may_lack_a_class():
    some = LABELS < 2
    parts = [(FEATURES, LABELS, FEATURES[some])]
    _, loss, _ = choose_strength(TASK, parts, LABELS[some])
    assert 0 < loss < 2


def test_balanced_classes_are_weighted_by_rarity():
    # Features that tell nothing: what is predicted is what is common.
    labels = (np.arange(60) % 10 == 0).astype(int)
    features = RANDOM.normal(size=(60, 2))
    task = SingleLabel(["a", "b"])
    shares = [
        task.probabilities(
            choose_strength(task, [(features, labels, features)], labels, weight)[2]
        )[:, 1].mean()
        for weight in (None, "balanced")
    ]
    assert shares[0] < 0.2 and 0.4 < shares[1] < 0.6
