"""`logistic_start`: classes told apart by logistic regression, where features are many.

Of as many features as texts, such as counts of words, it tells dozens of classes apart
that a regression of each class against the others mixes up (`docs/results.md`).
"""

from __future__ import annotations

import numpy as np

from siatl_keras.tasks.sure_start import sure_start
from siatl_keras.tasks.yes_or_no_start import CERTAIN

# How far texts may be told apart, for texts of length 1.
STRENGTH = 22.5
# What logits are multiplied by, so that they are as sure as they may be: no more than
# this, for where all folds are right, of texts of unknown words nothing is certain.
SCALES = np.geomspace(0.2, 5.2, 13)


def logistic_start(
    features: np.ndarray, targets: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fits kernel and bias of a linear layer that gives logits.

    Args:
        features: float `[texts, features]`, of mean 0.
        targets: int `[texts]`, class numbers.
        classes: int; some may have no texts.

    Returns:
        `(kernel [features, classes], bias [classes])`.
    """
    from sklearn.linear_model import LogisticRegression

    present = np.unique(targets)
    if len(present) < 2:
        only = np.isin(np.arange(classes), present)
        return np.zeros((features.shape[1], classes)), CERTAIN * only
    size = np.square(features).sum(1).mean()
    model = LogisticRegression(C=STRENGTH / size, max_iter=300)
    return sure_start([model], SCALES, (model, 1.0), features, targets, classes)
