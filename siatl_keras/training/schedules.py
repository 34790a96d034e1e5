"""`SCHEDULES`: learning-rate schedules by name, as a table.

Adding a schedule is adding a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from siatl_keras.training.one_cycle import OneCycle, OneCycleMomentum
from siatl_keras.training.slanted_triangular import SlantedTriangular


@dataclass(frozen=True)
class ScheduleKind:
    """How an optimizer's rate and momentum go through its steps.

    Attributes:
        rate: makes a rate, or a schedule of rates, of the highest rate and the steps.
        momentum: makes a schedule of the momentum of the steps; `None` leaves the
            optimizer its own.
    """

    rate: Callable[[float, int], Any]
    momentum: Callable[[int], Any] | None = None


SCHEDULES = {
    "constant": ScheduleKind(lambda rate, steps: rate),
    "slanted_triangular": ScheduleKind(SlantedTriangular),
    "one_cycle": ScheduleKind(OneCycle, OneCycleMomentum),
}
