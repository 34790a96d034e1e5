"""`SlantedTriangular`: a learning rate that rises fast and falls slowly.

Source: Howard & Ruder 2018 (ULMFiT), section 3.2 and eq. 3.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from siatl_keras.arguments import (
    check_at_least,
    check_positive,
    check_share,
    check_whole,
)


@keras.saving.register_keras_serializable(package="siatl_keras")
class SlantedTriangular(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly from `max_rate / ratio` to `max_rate`, and falls back linearly.

    The fall ends exactly at `steps`; by the letter of eq. 3 it ends earlier, and goes
    below 0, where `cut_fraction * steps` is no whole number. After `steps` the rate
    stays at `max_rate / ratio`.

    Args:
        max_rate: float, the highest rate.
        steps: int, length of the schedule.
        cut_fraction: float in [0, 1), share of the steps in which the rate rises.
        ratio: float, at least 1: how much smaller the lowest rate is than the highest.

    Call arguments:
        step: int scalar, counted from 0.

    Returns:
        float32 scalar, the rate.

    Raises:
        ValueError: if an argument is out of range.

    Example:
    >>> schedule = SlantedTriangular(0.32, steps=100)
    >>> [round(float(schedule(step)), 3) for step in (0, 5, 10, 55, 100)]
    [0.01, 0.165, 0.32, 0.165, 0.01]
    """

    def __init__(
        self,
        max_rate: float,
        steps: int,
        cut_fraction: float = 0.1,
        ratio: float = 32.0,
    ) -> None:
        check_positive(max_rate=max_rate)
        check_at_least(1, ratio=ratio)
        check_whole(1, steps=steps)
        check_share(cut_fraction=cut_fraction)
        self.max_rate = max_rate
        self.steps = steps
        self.cut_fraction = cut_fraction
        self.ratio = ratio

    def __call__(self, step: Any) -> Any:
        """Returns the rate of a step."""
        step = ops.cast(step, "float32")
        cut = int(self.steps * self.cut_fraction)
        rise = step / max(cut, 1)
        fall = 1.0 - (step - cut) / (self.steps - cut)
        share = ops.clip(ops.where(step < cut, rise, fall), 0.0, 1.0)
        return self.max_rate * (1.0 + share * (self.ratio - 1.0)) / self.ratio

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "max_rate": self.max_rate,
            "steps": self.steps,
            "cut_fraction": self.cut_fraction,
            "ratio": self.ratio,
        }
