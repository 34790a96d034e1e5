"""The logistic start: as good as scikit-learn's, as sure as it is right, whole."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from siatl_keras.tasks.logistic_start import CERTAIN, STRENGTH, logistic_start

FEATURES = 120


def drawn(classes, texts, seed=0):
    """Texts of as many features as texts, a few of which say the class."""
    random = np.random.default_rng(seed)
    targets = np.arange(texts) % classes
    means = np.random.default_rng(7).normal(0, 1, (classes, FEATURES))
    features = 0.35 * means[targets] + random.normal(0, 1, (texts, FEATURES))
    return features, targets


@pytest.mark.parametrize("classes", [2, 3, 12])
@pytest.mark.parametrize("size", [1.0, 30.0])
def test_it_answers_as_scikit_learn_s_whatever_the_size_of_features(classes, size):
    features, targets = drawn(classes, 120)
    kernel, bias = logistic_start(size * features, targets, classes)
    assert (kernel.shape, bias.shape) == ((FEATURES, classes), (classes,))
    tested, truth = drawn(classes, 600, seed=1)
    answers = (size * tested @ kernel + bias).argmax(1)
    length = np.sqrt(np.square(features).sum(1).mean())
    theirs = LogisticRegression(C=STRENGTH, max_iter=300)
    theirs.fit(features / length, targets)
    assert (answers == theirs.predict(tested / length)).mean() > 0.98
    assert (answers == truth).mean() > 0.5


def test_it_is_as_sure_as_it_is_right():
    features, targets = drawn(5, 150)
    kernel, bias = logistic_start(features, targets, 5)
    tested, truth = drawn(5, 2000, seed=1)
    logits = tested @ kernel + bias
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    right = (logits.argmax(1) == truth).mean()
    assert abs(probabilities.max(1).mean() - right) < 0.1
    losses = [
        log_loss(truth, scaled / scaled.sum(1, keepdims=True))
        for scaled in (probabilities**by for by in (0.25, 4.0))
    ]
    assert log_loss(truth, probabilities) < min(losses)


def test_a_class_without_texts_is_never_the_answer():
    features, targets = drawn(3, 60)
    kernel, bias = logistic_start(features, targets * 2, 6)
    assert set((features @ kernel + bias).argmax(1)) == {0, 2, 4}


def test_one_text_of_each_class_is_enough():
    features, targets = drawn(12, 12)
    kernel, bias = logistic_start(features, targets, 12)
    assert ((features @ kernel + bias).argmax(1) == targets).all()


def test_of_texts_of_one_class_it_says_this_one():
    features, _ = drawn(3, 6)
    kernel, bias = logistic_start(features, np.full(6, 1), 3)
    assert not kernel.any() and bias.tolist() == [0, CERTAIN, 0]
