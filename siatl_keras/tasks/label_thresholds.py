"""`best_threshold`: the probability from which a text has a label."""

from __future__ import annotations

from typing import Any

import numpy as np

from siatl_keras.inputs.rows import rows_of

THRESHOLD = 0.5
# Held-out texts with a label from which its threshold can be chosen: by fewer, chance
# decides, and it may be one that half of all texts are above.
FEWEST = 5
# Probabilities that differ by less, relatively, are equal: 8 steps of float32.
TIE = 1e-6


def checked_thresholds(thresholds: Any, size: int) -> list[float]:
    """Turns `thresholds` into one for each label.

    Args:
        thresholds: float `[labels]`, one for all, or `None` for 0.5.
        size: int, number of labels.

    Raises:
        ValueError: if they are not above 0 and below 1, or not one for each label.
    """
    numbers = (int, float, np.integer, np.floating)
    if thresholds is None:
        thresholds = THRESHOLD
    if isinstance(thresholds, numbers):
        thresholds = [thresholds] * size
    values = rows_of(thresholds, "thresholds")
    if len(values) != size or not all(
        isinstance(value, numbers) and 0 < np.float32(value) < 1 for value in values
    ):
        raise ValueError(
            "`thresholds` must be above 0 and below 1, one for each of the "
            f"{size} labels. Received: {values[:8]}."
        )
    return [float(value) for value in values]


def best_threshold(is_label: np.ndarray, probabilities: np.ndarray) -> float:
    """Finds the threshold of the best F1 of a label; see `MultiLabel.tuned_on`.

    Args:
        is_label: bool `[texts]`, which have it.
        probabilities: float `[texts]`, of the label.
    """
    if is_label.sum() < FEWEST:
        return THRESHOLD
    order = np.argsort(-probabilities, kind="stable")
    values = probabilities[order]
    right = np.cumsum(is_label[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + is_label.sum())
    below = np.append(values[1:], 0.0)
    candidates = (values + below) / 2
    # Texts of equal probability are answered alike. In float32 it differs in the last
    # digits with a text's place in the batch, and a threshold must not lie between.
    gap = (values - below > TIE * values) & (candidates > np.finfo("float32").tiny)
    possible = np.flatnonzero(gap)
    if not len(possible):
        return THRESHOLD
    candidates = candidates[possible]
    best = f1[possible] >= f1[possible].max() - 1e-12
    return float(candidates[best][np.argmin(np.abs(candidates[best] - THRESHOLD))])
