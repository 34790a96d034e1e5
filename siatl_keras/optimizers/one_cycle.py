"""`OneCycle`: a learning rate that goes up and down once, and its momentum.

Source: Smith 2018 (arXiv 1803.09820), section 4: the momentum falls while the rate
rises. Cosines for straight lines, and the defaults, as in fastai.
"""

from __future__ import annotations

import math
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
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Rises from `max_rate / div` to `max_rate`, and anneals to `max_rate / final_div`.

    Both parts are halves of a cosine; after `steps` the rate stays where it is. The
    cycle's momentum is an `OneCycleMomentum` of the same length.

    Args:
        max_rate: float, the highest rate.
        steps: int, length of the cycle.
        div: float, at least 1: the highest rate divided by the first.
        final_div: float, at least 1: the highest rate divided by the last.
        start_fraction: float in [0, 1), share of the steps in which the rate rises.

    Call arguments:
        step: int scalar, counted from 0.

    Returns:
        float32 scalar, the rate.

    Raises:
        ValueError: if an argument is out of range.

    Example:
    >>> schedule = OneCycle(0.25, steps=100)
    >>> [round(float(schedule(step)), 3) for step in (0, 25, 100)]
    [0.01, 0.25, 0.0]
    """

    def __init__(
        self,
        max_rate: float,
        steps: int,
        div: float = 25.0,
        final_div: float = 1e5,
        start_fraction: float = 0.25,
    ) -> None:
        check_positive(max_rate=max_rate)
        check_at_least(1, div=div, final_div=final_div)
        check_whole(1, steps=steps)
        check_share(start_fraction=start_fraction)
        self.max_rate = max_rate
        self.steps = steps
        self.div = div
        self.final_div = final_div
        self.start_fraction = start_fraction

    def __call__(self, step: Any) -> Any:
        """Returns the rate of a step."""
        ends = self.max_rate / self.div, self.max_rate / self.final_div
        return _cycle(
            step, self.steps, self.start_fraction, ends[0], self.max_rate, ends[1]
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "max_rate": self.max_rate,
            "steps": self.steps,
            "div": self.div,
            "final_div": self.final_div,
            "start_fraction": self.start_fraction,
        }


@keras.saving.register_keras_serializable(package="siatl_keras")
class OneCycleMomentum(keras.optimizers.schedules.LearningRateSchedule):
    """The momentum beside `OneCycle`: falls from `high` to `low`, and rises to `high`.

    For `FusedSGD(momentum=…)` and `FusedAdam(beta_1=…)`.

    Args:
        steps: int, length of the cycle.
        high: float in [0, 1), momentum at both ends.
        low: float in [0, high], momentum where the rate is highest.
        start_fraction: float in [0, 1), as of the `OneCycle`.

    Call arguments:
        step: int scalar, counted from 0.

    Returns:
        float32 scalar, the momentum.

    Raises:
        ValueError: if an argument is out of range.

    Example:
    >>> momentum = OneCycleMomentum(steps=100)
    >>> [round(float(momentum(step)), 3) for step in (0, 25, 100)]
    [0.95, 0.85, 0.95]
    """

    def __init__(
        self,
        steps: int,
        high: float = 0.95,
        low: float = 0.85,
        start_fraction: float = 0.25,
    ) -> None:
        check_share(low=low, high=high, start_fraction=start_fraction)
        if low > high:
            raise ValueError(
                f"`low` must not be above `high`. Received: low={low}, high={high}."
            )
        check_whole(1, steps=steps)
        self.steps = steps
        self.high = high
        self.low = low
        self.start_fraction = start_fraction

    def __call__(self, step: Any) -> Any:
        """Returns the momentum of a step."""
        return _cycle(
            step, self.steps, self.start_fraction, self.high, self.low, self.high
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "steps": self.steps,
            "high": self.high,
            "low": self.low,
            "start_fraction": self.start_fraction,
        }


def _cycle(
    step: Any, steps: int, start_fraction: float, first: float, turn: float, last: float
) -> Any:
    """Goes along half a cosine from `first` to `turn`, and along another to `last`."""
    step = ops.cast(step, "float32")
    cut = steps * start_fraction
    up = step / max(cut, 1e-9)
    down = (step - cut) / (steps - cut)
    rising = step < cut
    share = ops.clip(ops.where(rising, up, down), 0.0, 1.0)
    share = (1.0 - ops.cos(math.pi * share)) / 2.0
    begin, end = ops.where(rising, first, turn), ops.where(rising, turn, last)
    # Not begin + share * (end - begin): float32 would end beside a small `end`.
    return begin * (1.0 - share) + end * share
