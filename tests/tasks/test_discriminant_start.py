"""The discriminant start: as good as scikit-learn's, sure as it may be, whole."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import log_loss

from siatl_keras.tasks.discriminant_start import discriminant_start


def drawn(classes, texts, features=20, apart=1.0, seed=0):
    """Features of texts around means of classes, correlated, of deviation 1."""
    random = np.random.default_rng(seed)
    means = np.random.default_rng(7).normal(0, apart, (classes, features))
    mixing = np.random.default_rng(8).normal(0, 1, (features, features))
    targets = np.arange(texts) % classes
    noise = random.normal(0, 1, (texts, features)) @ mixing / np.sqrt(features)
    return means[targets] + noise, targets


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_it_tells_classes_apart_as_scikit_learn_does(classes):
    features, targets = drawn(classes, 200)
    kernel, bias = discriminant_start(features, targets, classes)
    assert (kernel.shape, bias.shape) == ((20, classes), (classes,))
    tested, truth = drawn(classes, 500, seed=1)
    logits = tested @ kernel + bias
    analysis = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1)
    theirs = analysis.fit(features, targets).score(tested, truth)
    assert (logits.argmax(1) == truth).mean() > theirs - 0.05


def test_it_is_no_surer_than_it_is_right():
    features, targets = drawn(5, 60, features=40, apart=0.2)
    kernel, bias = discriminant_start(features, targets, 5)
    tested, truth = drawn(5, 1000, features=40, apart=0.2, seed=1)
    logits = tested @ kernel + bias
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    analysis = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    theirs = analysis.fit(features, targets).predict_proba(tested)
    assert log_loss(truth, probabilities) < log_loss(truth, theirs)
    right = (logits.argmax(1) == truth).mean()
    assert abs(probabilities.max(1).mean() - right) < 0.12


def test_a_class_without_texts_is_never_the_answer():
    features, targets = drawn(3, 60)
    kernel, bias = discriminant_start(features, targets * 2, 6)
    logits = features @ kernel + bias
    assert set(logits.argmax(1)) == {0, 2, 4}


def test_a_class_of_one_text_does_not_stop_it():
    features, targets = drawn(2, 40)
    targets[0] = 2
    kernel, bias = discriminant_start(features, targets, 3)
    assert np.isfinite(kernel).all() and np.isfinite(bias).all()
    logits = features[1:] @ kernel + bias
    assert (logits.argmax(1) == targets[1:]).mean() > 0.9


@pytest.mark.parametrize("targets", [[0, 0, 0], [0, 1, 2]])
def test_too_little_to_tell_apart_is_no_start(targets):
    features = np.random.default_rng(0).normal(0, 1, (3, 4))
    assert discriminant_start(features, np.array(targets), 3) is None
