"""`Spread`: mean and standard deviation over the seeds of a method."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Mean and spread of some values.

    Attributes:
        mean: their mean.
        std: their standard deviation, that of a sample (n - 1); 0 for one value.
        count: how many there are.

    Example:
    >>> print(Spread.of([0.70, 0.72, 0.71]))
    0.710 ± 0.010
    >>> print(Spread.of([0.70]))
    0.700
    """

    mean: float
    std: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Works out the spread of one value or more."""
        values = list(values)
        std = statistics.stdev(values) if len(values) > 1 else 0.0
        return cls(statistics.fmean(values), std, len(values))

    def __str__(self) -> str:
        return f"{self.mean:.3f}" + (f" ± {self.std:.3f}" if self.count > 1 else "")
