"""`SCHEDULES`: schedules by name, of learning rates and of γ alike.

Adding a schedule is adding a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from siatl_keras.arguments import check_choice, check_positive, check_share, check_whole
from siatl_keras.optimizers.fused_optimizers import FusedAdam, FusedSGD
from siatl_keras.optimizers.geometric_decay import GeometricDecay
from siatl_keras.optimizers.one_cycle import OneCycle, OneCycleMomentum
from siatl_keras.optimizers.slanted_triangular import SlantedTriangular


@dataclass(frozen=True)
class ScheduleKind:
    """How a rate (or γ) and an optimizer's momentum go through the steps.

    Attributes:
        rate: makes a number, or a schedule, of the highest rate, the steps (or epochs)
            and the last rate, which those take that have one of their own.
        momentum: makes a schedule of the momentum of the steps; `None` leaves the
            optimizer its own.
    """

    rate: Callable[[float, int, float], Any]
    momentum: Callable[[int], Any] | None = None


def warmup_cosine(rate: float, steps: int) -> Any:
    """Makes a schedule that rises for a fiftieth of the steps, then falls to 0.

    Args:
        rate: float, the highest rate.
        steps: int, of the schedule.
    """
    warmup = max(1, steps // 50)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=rate, warmup_steps=warmup
    )


SCHEDULES = {
    "constant": ScheduleKind(lambda rate, steps, last: rate),
    "geometric": ScheduleKind(
        lambda rate, steps, last: GeometricDecay(rate, last, steps)
    ),
    "slanted_triangular": ScheduleKind(
        lambda rate, steps, last: SlantedTriangular(rate, steps)
    ),
    "one_cycle": ScheduleKind(
        lambda rate, steps, last: OneCycle(rate, steps), OneCycleMomentum
    ),
    "warmup_cosine": ScheduleKind(lambda rate, steps, last: warmup_cosine(rate, steps)),
}
# Of the highest learning rate, where a geometric decay of it ends.
LAST_RATE = 0.01


def scheduled_adam(
    schedule: str, rate: float, steps: int, beta_1: float = 0.9, **kwargs: Any
) -> FusedAdam:
    """Makes Adam with a schedule over its own steps.

    Args:
        schedule: a key of `SCHEDULES`.
        rate: float, the highest rate.
        steps: int, steps that the optimizer will make.
        beta_1: float, for schedules without a momentum of their own.
        **kwargs: see `FusedAdam`.

    Raises:
        ValueError: if the schedule is unknown, or a number out of range.
    """
    kind = _kind(schedule, rate, steps)
    check_share(beta_1=beta_1)
    beta = kind.momentum(steps) if kind.momentum else beta_1
    return FusedAdam(kind.rate(rate, steps, rate * LAST_RATE), beta_1=beta, **kwargs)


def scheduled_sgd(schedule: str, rate: float, steps: int, **kwargs: Any) -> FusedSGD:
    """Makes SGD with a schedule over its own steps; arguments as `scheduled_adam`.

    It has momentum only where the schedule brings one.
    """
    kind = _kind(schedule, rate, steps)
    momentum = kind.momentum(steps) if kind.momentum else 0.0
    return FusedSGD(
        kind.rate(rate, steps, rate * LAST_RATE), momentum=momentum, **kwargs
    )


def _kind(schedule: str, rate: float, steps: int) -> ScheduleKind:
    check_choice(SCHEDULES, schedule=schedule)
    check_positive(rate=rate)
    check_whole(1, steps=steps)
    return SCHEDULES[schedule]
