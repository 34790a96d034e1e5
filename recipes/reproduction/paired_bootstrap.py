"""`paired_bootstrap`: whether two methods differ in a figure on the same test texts.

Source: Berg-Kirkpatrick, Burkett and Klein 2012 for the idea of resampling test texts
for two systems alike; the p-value inverts the percentile interval of the difference
(Efron and Tibshirani 1993, chapter 15).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from siatl_keras.evaluation import MEASURES, Resampled, measure_of

# What must know how many classes there are.
_OF_CLASSES = ("macro_f1", "micro_f1", "quadratic_kappa")


@dataclass(frozen=True)
class PairedDifference:
    """How far one method is above another.

    Attributes:
        difference: the figure of the first minus that of the second, means over runs.
        low: lower end of the 95 % interval of the difference.
        high: upper end.
        p_value: two-sided; small if the sign would hold on other texts of this kind.
    """

    difference: float
    low: float
    high: float
    p_value: float


def paired_bootstrap(
    targets: Any,
    first: Any,
    second: Any,
    measure: str = "macro_f1",
    num_classes: int = 0,
    samples: int = 10_000,
    seed: int = 0,
) -> PairedDifference:
    """Resamples the test texts, each time the same ones for all runs of both methods.

    The figure of a method is the mean over its runs (seeds), which are held fixed: the
    p-value answers for the choice of test texts, not for that of seeds.

    Args:
        targets: what is true: int `[texts]`, classes or levels; 0 or 1 `[texts,
            labels]`; or float `[texts]`, numbers.
        first: `[runs, texts, …]`, what the first method's runs predict.
        second: `[runs, texts, …]`, those of the second; not necessarily as many runs.
        measure: a key of `MEASURES`, other than "spearman".
        num_classes: int, classes in the macro F1, or levels; one that nobody has counts
            as F1 of 0. Not needed where targets are no class numbers.
        samples: int, how often the texts are drawn again.
        seed: int, of the draws.

    Returns:
        `PairedDifference`.

    Raises:
        ValueError: if there are no texts or runs, or not equally many texts, a class
            number is not below `num_classes`, or the measure is unknown or one of
            ranks.

    Example:
    >>> labels = [0, 1] * 50
    >>> always_right, always_zero = [labels], [[0] * 100]
    >>> result = paired_bootstrap(labels, always_right, always_zero, num_classes=2)
    >>> round(result.difference, 3), result.p_value < 0.001
    (0.667, True)
    """
    kind = measure_of(measure)
    if kind.columns is None:
        possible = [name for name, each in MEASURES.items() if each.columns]
        raise ValueError(
            f"`measure` must be one of {possible}, which are sums over texts. "
            f"Received: {measure!r}."
        )
    targets = np.asarray(targets)
    runs = [
        side[None] if side.ndim == targets.ndim else side
        for side in map(np.asarray, (first, second))
    ]
    _check(targets, runs, measure, num_classes, samples)
    texts = Resampled(targets, *runs[0], *runs[1])
    sides = [[texts.figure(kind, run, num_classes) for run in side] for side in runs]
    drawn = np.concatenate(
        [_difference(weights, sides) for weights in texts.draws(samples, seed)]
    )
    at_most, at_least = np.sum(drawn <= 0), np.sum(drawn >= 0)
    # The texts themselves count as one more draw, so that no p-value is 0.
    p_value = min(1.0, 2.0 * (min(at_most, at_least) + 1) / (samples + 1))
    low, high = np.percentile(drawn, [2.5, 97.5])
    difference = float(_difference(texts.whole, sides)[0])
    return PairedDifference(difference, float(low), float(high), float(p_value))


def _difference(weights: np.ndarray, sides: list[list[Any]]) -> np.ndarray:
    first, second = (
        np.mean([figure(weights) for figure in side], axis=0) for side in sides
    )
    return first - second


def _check(
    targets: np.ndarray,
    runs: list[np.ndarray],
    measure: str,
    num_classes: int,
    samples: int,
) -> None:
    shapes = [side.shape for side in runs]
    no_texts = targets.ndim not in (1, 2) or not len(targets)
    if no_texts or any(side.size == 0 for side in runs):
        raise ValueError(
            "There must be at least one text and one run of each method. Received: "
            f"targets {targets.shape}, first {shapes[0]}, second {shapes[1]}."
        )
    if any(shape[1:] != targets.shape for shape in shapes):
        raise ValueError(
            "`first` and `second` must be [runs, texts] with the texts of `targets`. "
            f"Received: targets {targets.shape}, first {shapes[0]}, second {shapes[1]}."
        )
    values = np.concatenate([targets.ravel(), *(side.ravel() for side in runs)])
    of_classes = targets.ndim == 1 and measure in _OF_CLASSES
    if of_classes and (values.min() < 0 or values.max() >= num_classes):
        raise ValueError(
            f"Class numbers must be 0 to {num_classes - 1} with num_classes="
            f"{num_classes}. Received: {values.min()} to {values.max()}."
        )
    if samples < 1:
        raise ValueError(f"`samples` must be at least 1. Received: samples={samples}.")
