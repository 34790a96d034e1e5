"""`fit_linear_model`: a linear model, its regularisation chosen held out.

The chosen one has the lowest task loss on held-out texts, which is also what early
stopping of the other methods goes by.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# Weights of the data against the regularisation.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)


def fit_linear_model(
    task: Any,
    features: Any,
    targets: np.ndarray,
    held_out_features: Any,
    held_out_targets: np.ndarray,
    class_weight: str | None = None,
) -> tuple[Any, float, float]:
    """Fits the task's linear model once for each of `STRENGTHS`, and takes the best.

    Args:
        task: what is learned, a `siatl_keras.tasks.Task`.
        features: float `[texts, features]`, dense or sparse.
        targets: `[texts, …]`, the task's.
        held_out_features: as `features`.
        held_out_targets: as `targets`.
        class_weight: "balanced" to weight classes by their rarity.

    Returns:
        `(estimator, its strength, its mean loss on what was held out)`.
    """
    best: tuple[Any, float, float] | None = None
    for strength in STRENGTHS:
        estimator = task.linear_model(strength, class_weight).fit(features, targets)
        outputs = task.linear_outputs(estimator, held_out_features)
        loss = task.mean_loss(held_out_targets, outputs)
        if best is None or loss < best[2]:
            best = estimator, strength, loss
    assert best is not None
    return best
