"""`fitted_temperature`: how sure a model's outputs should be, from held-out texts.

Source: Guo et al. 2017, "On calibration of modern neural networks", section 4.2:
outputs are divided by one number, which changes no answer. A number for each class was
tried too, see `docs/results.md`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

# Standard deviation of the temperature's logarithm before any text is seen: a dozen
# texts, all answered right, say little about how sure answers should be.
SPREAD = 0.5
RANGE = (-3.0, 3.0)


def fitted_temperature(
    mean_loss: Callable[[np.ndarray, np.ndarray], float],
    targets: np.ndarray,
    outputs: np.ndarray,
) -> float:
    """Finds the temperature of the highest likelihood, drawn to 1 where texts are few.

    Args:
        mean_loss: function of targets and outputs that returns the mean negative log
            likelihood of texts, such as `Task.mean_loss`.
        targets: `[texts, …]`, of the held-out texts.
        outputs: float `[texts, outputs]`, the model's.

    Returns:
        float, what outputs are to be divided by; 1 where they are not finite.
    """
    from scipy.optimize import minimize_scalar

    outputs = np.asarray(outputs, "float64")
    if not len(outputs) or not np.isfinite(outputs).all():
        return 1.0

    def loss(logarithm: float) -> float:
        likelihood = len(outputs) * mean_loss(targets, outputs / math.exp(logarithm))
        return likelihood + 0.5 * (logarithm / SPREAD) ** 2

    found = minimize_scalar(loss, bounds=RANGE, method="bounded")
    return round(math.exp(found.x), 4)
