"""`checked_answers`: truth and answers of the same texts, before they are compared."""

from __future__ import annotations

from typing import Any

import numpy as np


def checked_answers(targets: Any, predicted: Any) -> tuple[np.ndarray, np.ndarray]:
    """Turns truth and answers into arrays.

    Args:
        targets: `[texts, …]`, what is true.
        predicted: of the same shape, what was answered.

    Returns:
        both as numpy arrays.

    Raises:
        ValueError: if there are no texts, the shapes differ, or an answer is not
            finite.
    """
    targets, predicted = np.asarray(targets), np.asarray(predicted)
    if targets.shape != predicted.shape or not len(targets):
        raise ValueError(
            "`targets` and `predicted` must be equally many, and at least one. "
            f"Received: shapes {targets.shape} and {predicted.shape}."
        )
    if not np.isfinite(predicted).all():
        raise ValueError(
            "`predicted` must be finite. Received NaN or infinity: the model's "
            "training has diverged."
        )
    return targets, predicted
