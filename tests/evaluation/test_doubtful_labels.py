"""Most of the labels that were swapped are found, and no others."""

import sys

import numpy as np
import pytest

from siatl_keras.evaluation import Predictions, doubtful_labels


def noisy(texts=300, classes=3, wrong=9):
    """Probabilities of a good model, and labels of which some are wrong."""
    random = np.random.default_rng(0)
    true = random.integers(0, classes, texts)
    scores = random.dirichlet([0.3] * classes, texts) * 0.15
    scores[np.arange(texts), true] += 0.85
    labels = true.copy()
    rows = random.choice(texts, wrong, replace=False)
    labels[rows] = (true[rows] + 1) % classes
    return labels, scores, set(rows.tolist()), true


def test_swapped_labels_are_found_and_their_true_ones_suggested():
    labels, scores, wrong, true = noisy()
    names = ("a", "b", "c")
    predictions = Predictions(labels, scores.argmax(1), scores, names)
    found = doubtful_labels(predictions, [f"text {row}" for row in range(300)])
    rows = {one.row for one in found}
    assert rows <= wrong and len(rows) >= 4
    assert all(one.answer == names[true[one.row]] for one in found)
    assert all(one.label == names[labels[one.row]] for one in found)
    assert all(one.confidence > 0.8 and one.text == f"text {one.row}" for one in found)


def test_of_several_labels_too():
    labels, scores, wrong, _ = noisy()
    matrix = np.eye(3, dtype=int)[labels]
    predictions = Predictions(matrix, (scores > 0.5).astype(int), scores, tuple("abc"))
    found = doubtful_labels(predictions, ["text"] * 300)
    rows = {one.row for one in found}
    assert rows <= wrong and len(rows) >= 4


def test_numbers_have_none():
    numbers = np.arange(4.0)
    assert (
        doubtful_labels(Predictions(numbers, numbers + 9, np.zeros((4, 0))), []) == []
    )


def test_without_the_package_nothing_is_claimed(monkeypatch):
    labels, scores, _, _ = noisy()
    predictions = Predictions(labels, scores.argmax(1), scores)
    monkeypatch.setitem(sys.modules, "cleanlab", None)  # As if it were not there.
    assert doubtful_labels(predictions, ["text"] * 300) is None


@pytest.mark.parametrize("rows", [2, 5])
def test_few_texts_or_a_class_that_none_has_are_no_error(rows):
    scores = np.full((rows, 4), 0.25)
    predictions = Predictions(np.zeros(rows, int), np.zeros(rows, int), scores)
    assert doubtful_labels(predictions, ["text"] * rows) == []
