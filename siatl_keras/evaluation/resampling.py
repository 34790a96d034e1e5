"""`Resampled`: figures on texts drawn again and again, and `bootstrap_interval`.

Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13, the
percentile interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from siatl_keras.evaluation.measures import MEASURES, Measure

DRAWS_AT_A_TIME = 500
DRAWS = 1000


@dataclass(frozen=True)
class Interval:
    """Where a figure would lie on other texts of the kind, nineteen times in twenty.

    Attributes:
        measure: str, a key of `MEASURES`.
        low: float, the lower end.
        high: float, the upper end.
    """

    measure: str
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures for JSON."""
        return asdict(self)

    def to_text(self) -> str:
        """Returns the figures in a line."""
        title = MEASURES[self.measure].title
        return f"95 % interval of the {title}: {self.low:.4f} to {self.high:.4f}"


class Resampled:
    """Texts to be drawn with replacement.

    Texts with equal truth and answers are interchangeable, so it is their numbers that
    are drawn: the same distribution, with far fewer columns.

    Args:
        targets: `[texts, …]`, what is true.
        answers: some arrays of that shape, what was answered.
    """

    def __init__(self, targets: np.ndarray, *answers: np.ndarray) -> None:
        rows = np.stack([targets, *answers])  # [1 + answers, texts, …]
        flat = np.moveaxis(rows, 1, -1).reshape(-1, len(targets))
        _, where, counts = np.unique(
            flat, axis=1, return_index=True, return_counts=True
        )
        # By first text, an order that does not change when answers change places.
        order = np.argsort(where)
        self.targets = targets
        self.where, self.counts = where[order], counts[order]

    def figure(
        self, measure: Measure, answers: np.ndarray, num_classes: int
    ) -> Callable[[np.ndarray], np.ndarray]:
        """Makes the function of weights `[draws, patterns]` to figures `[draws]`.

        Args:
            measure: that is made of sums.
            answers: `[texts, …]`, among those that this was made of.
            num_classes: int, see `Measure`.
        """
        assert measure.columns and measure.of_sums
        targets, answers = self.targets[self.where], answers[self.where]
        columns = measure.columns(targets, answers, num_classes)
        columns = np.hstack([np.ones((len(targets), 1)), columns])
        of_sums = measure.of_sums
        return lambda weights: of_sums(weights @ columns)

    @property
    def whole(self) -> np.ndarray:
        """Weights `[1, patterns]` of the texts as they are."""
        return self.counts[None].astype("float64")

    def draws(self, samples: int, seed: int) -> Iterator[np.ndarray]:
        """Yields weights `[draws, patterns]`, in parts, so that memory does not grow.

        Args:
            samples: int, draws in all.
            seed: int.
        """
        generator = np.random.default_rng(seed)
        texts = len(self.targets)
        for start in range(0, samples, DRAWS_AT_A_TIME):
            size = min(DRAWS_AT_A_TIME, samples - start)
            drawn = generator.multinomial(texts, self.counts / texts, size=size)
            yield drawn.astype("float64")


def bootstrap_interval(
    measure: str, targets: Any, answers: Any, num_classes: int = 0, seed: int = 0
) -> Interval:
    """Says how far chance in the choice of texts may move a figure.

    Args:
        measure: a key of `MEASURES` that is made of sums over texts.
        targets: `[texts, …]`, what is true.
        answers: of the same shape, what was answered.
        num_classes: int, of classes or levels, where there are any.
        seed: int, of the draws.

    Returns:
        `Interval`, of 1 000 draws.

    Example:
    >>> labels = [0, 1] * 50
    >>> answers = [0, 1] * 40 + [1, 0] * 10
    >>> interval = bootstrap_interval("accuracy", labels, answers)
    >>> 0.70 < interval.low < 0.74, 0.86 < interval.high < 0.90
    (True, True)
    """
    targets, answers = np.asarray(targets), np.asarray(answers)
    texts = Resampled(targets, answers)
    figure = texts.figure(MEASURES[measure], answers, num_classes)
    drawn = np.concatenate([figure(part) for part in texts.draws(DRAWS, seed)])
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(measure, float(low), float(high))
