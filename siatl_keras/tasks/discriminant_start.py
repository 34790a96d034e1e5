"""`discriminant_start`: classes told apart by linear discriminant analysis.

It needs no steps, and where texts are few and classes many it does better than what
hundreds of steps find (`docs/results.md`).
"""

from __future__ import annotations

import numpy as np

from siatl_keras.tasks.sure_start import sure_start

# How far the covariance of the classes is drawn to that of equal, unrelated features.
SHRINKAGES = (0.1, 0.3, 0.6, 0.9)
USUAL = 2
# What logits are multiplied by, so that they are as sure as they may be.
SCALES = np.geomspace(0.02, 1.0, 18)
USUAL_SCALE = 0.1


def discriminant_start(
    features: np.ndarray, targets: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Fits kernel and bias of a linear layer that gives logits.

    Shrinkage and scale are those of the lowest cross-entropy over folds.

    Args:
        features: float `[texts, features]`, each of deviation 1.
        targets: int `[texts]`, class numbers.
        classes: int; some may have no texts.

    Returns:
        `(kernel [features, classes], bias [classes])`; `None` if there is not a class
        of two texts, or only one class.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    present = len(np.unique(targets))
    if present < 2 or len(targets) <= present:
        return None
    tried = [
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage=each) for each in SHRINKAGES
    ]
    usual = (tried[USUAL], USUAL_SCALE)
    return sure_start(tried, SCALES, usual, features, targets, classes)
