"""`fit_linear_classifier`: logistic regression, its regularisation chosen held out.

The chosen one has the lowest task loss on held-out texts, which is also what early
stopping of the other methods goes by.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

# Weights of the data against the regularisation.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)


def fit_linear_classifier(
    features: Any,
    labels: Any,
    held_out_features: Any,
    held_out_labels: Any,
    class_weight: str | None = None,
) -> tuple[LogisticRegression, float]:
    """Fits logistic regression once for each of `STRENGTHS`, and takes the best.

    Args:
        features: float `[texts, features]`, dense or sparse.
        labels: int `[texts]`, every class among them.
        held_out_features: as `features`.
        held_out_labels: int, one per row.
        class_weight: "balanced" to weight classes by their rarity.

    Returns:
        `(classifier, its mean cross-entropy on what was held out)`.
    """
    classes = np.unique(labels)
    best: tuple[LogisticRegression, float] | None = None
    for strength in STRENGTHS:
        classifier = LogisticRegression(
            C=strength, max_iter=2000, class_weight=class_weight
        )
        classifier.fit(features, labels)
        probabilities = classifier.predict_proba(held_out_features)
        loss = float(log_loss(held_out_labels, probabilities, labels=classes))
        if best is None or loss < best[1]:
            best = classifier, loss
    assert best is not None
    return best
