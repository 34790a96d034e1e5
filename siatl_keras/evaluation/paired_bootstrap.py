"""`paired_bootstrap`: whether two methods differ in macro F1 on the same test texts.

Source: Berg-Kirkpatrick, Burkett and Klein 2012 for the idea of resampling test texts
for two systems alike; the p-value inverts the percentile interval of the difference
(Efron and Tibshirani 1993, chapter 15).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

DRAWS_AT_A_TIME = 500


@dataclass(frozen=True)
class PairedDifference:
    """How far one method is above another.

    Attributes:
        difference: macro F1 of the first minus that of the second, means over runs.
        low: lower end of the 95 % interval of the difference.
        high: upper end.
        p_value: two-sided; small if the sign would hold on other texts of this kind.
    """

    difference: float
    low: float
    high: float
    p_value: float


def paired_bootstrap(
    labels: Any,
    first: Any,
    second: Any,
    num_classes: int,
    samples: int = 10_000,
    seed: int = 0,
) -> PairedDifference:
    """Resamples the test texts, each time the same ones for all runs of both methods.

    The macro F1 of a method is the mean over its runs (seeds), which are held fixed:
    the p-value answers for the choice of test texts, not for that of seeds.

    Args:
        labels: int `[texts]`, true class numbers.
        first: int `[runs, texts]`, classes that the first method's runs predict.
        second: int `[runs, texts]`, those of the second; not necessarily as many runs.
        num_classes: int, classes in the mean; one that nobody has counts as F1 of 0.
        samples: int, how often the texts are drawn again.
        seed: int, of the draws.

    Returns:
        `PairedDifference`.

    Raises:
        ValueError: if there are no texts or runs, or not equally many texts, or a
            class number is not below `num_classes`.

    Example:
    >>> labels = [0, 1] * 50
    >>> always_right, always_zero = [labels], [[0] * 100]
    >>> result = paired_bootstrap(labels, always_right, always_zero, num_classes=2)
    >>> round(result.difference, 3), result.p_value < 0.001
    (0.667, True)
    """
    labels = np.asarray(labels)
    runs = [np.atleast_2d(np.asarray(side)) for side in (first, second)]
    _check(labels, runs, num_classes, samples)
    # Texts with equal labels and predictions are interchangeable, so it is their
    # numbers that are drawn: the same distribution, with far fewer columns.
    patterns, where, counts = np.unique(
        np.vstack([labels[None], *runs]), axis=1, return_index=True, return_counts=True
    )
    # By first text, an order that does not change when the methods change places.
    order = np.argsort(where)
    patterns, counts = patterns[:, order], counts[order]
    split = 1 + len(runs[0])
    sides = [
        [_Run(patterns[0], run, num_classes) for run in side]
        for side in (patterns[1:split], patterns[split:])
    ]
    generator = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            _difference(
                generator.multinomial(len(labels), counts / len(labels), size=size),
                sides,
            )
            for size in _chunks(samples)
        ]
    )
    at_most, at_least = np.sum(drawn <= 0), np.sum(drawn >= 0)
    # The texts themselves count as one more draw, so that no p-value is 0.
    p_value = min(1.0, 2.0 * (min(at_most, at_least) + 1) / (samples + 1))
    low, high = np.percentile(drawn, [2.5, 97.5])
    difference = float(_difference(counts[None], sides)[0])
    return PairedDifference(difference, float(low), float(high), float(p_value))


class _Run:
    """One run's hits and counts by pattern, as columns to be weighed."""

    def __init__(
        self, labels: np.ndarray, predicted: np.ndarray, num_classes: int
    ) -> None:
        classes = np.arange(num_classes)
        has = labels[:, None] == classes  # [patterns, classes]
        said = predicted[:, None] == classes
        # Floats, for the fast matrix product; whole numbers stay exact.
        self.right = (has & said).astype("float64")
        self.total = has.astype("float64") + said

    def macro_f1(self, weights: np.ndarray) -> np.ndarray:
        """Computes macro F1 `[draws]` with each pattern as often as it was drawn."""
        right, total = weights @ self.right, weights @ self.total  # [draws, classes]
        return np.mean(2.0 * right / np.maximum(total, 1.0), axis=-1)


def _difference(weights: np.ndarray, sides: list[list[_Run]]) -> np.ndarray:
    weights = weights.astype("float64")  # [draws, patterns]
    first, second = (
        np.mean([run.macro_f1(weights) for run in side], axis=0) for side in sides
    )
    return first - second


def _chunks(samples: int) -> list[int]:
    """Splits the draws, so that memory does not grow with their number."""
    whole, rest = divmod(samples, DRAWS_AT_A_TIME)
    return [DRAWS_AT_A_TIME] * whole + [rest] * (rest > 0)


def _check(
    labels: np.ndarray, runs: list[np.ndarray], num_classes: int, samples: int
) -> None:
    shapes = [side.shape for side in runs]
    if labels.ndim != 1 or not len(labels) or any(side.size == 0 for side in runs):
        raise ValueError(
            "There must be at least one text and one run of each method. Received: "
            f"labels {labels.shape}, first {shapes[0]}, second {shapes[1]}."
        )
    if any(shape[1:] != labels.shape for shape in shapes):
        raise ValueError(
            "`first` and `second` must be [runs, texts] with the texts of `labels`. "
            f"Received: labels {labels.shape}, first {shapes[0]}, second {shapes[1]}."
        )
    values = np.concatenate([labels, *(side.ravel() for side in runs)])
    if values.min() < 0 or values.max() >= num_classes:
        raise ValueError(
            f"Class numbers must be 0 to {num_classes - 1} with num_classes="
            f"{num_classes}. Received: {values.min()} to {values.max()}."
        )
    if samples < 1:
        raise ValueError(f"`samples` must be at least 1. Received: samples={samples}.")
