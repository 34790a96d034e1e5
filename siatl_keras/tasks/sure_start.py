"""`sure_start`: a linear classifier, scaled to be as sure as it is right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy.special import log_softmax

FOLDS = 5


def sure_start(
    tried: Sequence[Any],
    scales: Iterable[float],
    usual: tuple[Any, float],
    features: np.ndarray,
    targets: np.ndarray,
    classes: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Fits kernel and bias of a linear layer that gives logits.

    Classifier and scale are those of the lowest cross-entropy over folds.

    Args:
        tried: linear classifiers of scikit-learn.
        scales: what logits are multiplied by.
        usual: classifier and scale where there can be no folds, since a class has one
            text.
        features: float `[texts, features]`.
        targets: int `[texts]`, class numbers, of two classes at least.
        classes: int; some may have no texts.

    Returns:
        `(kernel [features, classes], bias [classes])`.
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    present, counts = np.unique(targets, return_counts=True)
    model, scale = usual
    if counts.min() > 1:
        folds = StratifiedKFold(min(FOLDS, counts.min()), shuffle=True, random_state=0)
        places = np.searchsorted(present, targets)
        results = []
        for number, each in enumerate(tried):
            logits = cross_val_predict(
                each, features, targets, cv=folds, method="decision_function"
            )
            both = _both_classes(logits)
            results += [(_loss(both * by, places), number, by) for by in scales]
        _, number, scale = min(results)
        model = tried[number]
    model.fit(features, targets)
    kernel = np.zeros((features.shape[1], classes))
    kernel[:, present] = _both_classes(model.coef_.T) * scale
    found = _both_classes(model.intercept_[None])[0] * scale
    bias = np.full(classes, found.min())
    bias[present] = found
    return kernel, bias


def _both_classes(of_second: Any) -> np.ndarray:
    """Gives each of two classes half of what scikit-learn has for the second."""
    numbers = np.asarray(of_second)
    if numbers.ndim == 1:
        numbers = numbers[:, None]
    if numbers.shape[1] > 1:
        return numbers
    return np.concatenate([-numbers / 2, numbers / 2], 1)


def _loss(logits: np.ndarray, places: np.ndarray) -> float:
    right = log_softmax(logits, axis=1)[np.arange(len(places)), places]
    return -float(right.mean())
