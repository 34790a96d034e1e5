"""`choose_strength`: how much a linear model is regularised, chosen held out.

The chosen one has the lowest task loss on held-out texts, which is also what early
stopping of the other methods goes by.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

# Weights of the data against the regularisation.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)


def choose_strength(
    task: Any,
    parts: Iterable[tuple[Any, np.ndarray, Any]],
    targets: np.ndarray,
    class_weight: str | None = None,
) -> tuple[float, float, np.ndarray]:
    """Fits the task's linear model once for each of `STRENGTHS`, and takes the best.

    Args:
        task: what is learned, a `siatl_keras.tasks.Task`.
        parts: each with features to learn from, float `[texts, features]`, dense or
            sparse, their targets, `[texts, …]`, and the features of texts that are
            held out of them. More than one is cross-validation.
        targets: of what is held out, part by part.
        class_weight: "balanced" to weight classes by their rarity.

    Returns:
        `(strength, mean loss on what is held out, outputs for it)`.
    """
    by_part = [
        [_outputs(task, strength, class_weight, *part) for strength in STRENGTHS]
        for part in parts
    ]
    best: tuple[float, float, np.ndarray] | None = None
    for strength, outputs in zip(STRENGTHS, zip(*by_part, strict=True), strict=True):
        answers = np.concatenate(outputs)
        loss = task.mean_loss(targets, answers)
        if best is None or loss < best[1]:
            best = strength, loss, answers
    assert best is not None
    return best


def _outputs(
    task: Any,
    strength: float,
    class_weight: str | None,
    features: Any,
    targets: np.ndarray,
    held_out_features: Any,
) -> np.ndarray:
    model = task.linear_model(strength, class_weight).fit(features, targets)
    return task.linear_outputs(model, held_out_features)
