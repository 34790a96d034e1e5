"""The measures of reports: how they are called, which way is better, and from what.

Each can be computed from sums over texts of a few columns, so that `paired_bootstrap`
draws texts thousands of times by matrix products. Rank correlation cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

# Of columns: truth and answer of each text, and the number of classes or levels.
Columns = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class Measure:
    """A figure of a method on labelled texts.

    Attributes:
        name: its key in metrics.json.
        title: what tables and plots call it.
        columns: makes of truth and answers of texts, and the number of classes, the
            float `[texts, columns]` whose sums decide; `None` where none do.
        of_sums: makes of sums `[draws, columns]`, the first of which is the number of
            texts, the figures `[draws]`.
        lower_is_better: bool.
    """

    name: str
    title: str
    columns: Columns | None = None
    of_sums: Callable[[np.ndarray], np.ndarray] | None = None
    lower_is_better: bool = False


def measure_of(name: str) -> Measure:
    """Returns a measure by its name.

    Args:
        name: a key of `MEASURES`.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in MEASURES:
        raise ValueError(
            f"`measure` must be one of {list(MEASURES)}. Received: {name!r}."
        )
    return MEASURES[name]


def _decisions(truth: np.ndarray, said: np.ndarray, size: int) -> Any:
    """Returns bool `[texts, labels]`, what is true and what is said."""
    if truth.ndim == 2:
        return truth > 0, said > 0
    classes = np.arange(size)
    return truth[:, None] == classes, said[:, None] == classes


def _f1_columns(truth: np.ndarray, said: np.ndarray, size: int) -> np.ndarray:
    has, says = _decisions(truth, said, size)
    # Floats, for the fast matrix product; whole numbers stay exact.
    return np.hstack([(has & says).astype("float64"), has.astype("float64") + says])


def _macro_f1(sums: np.ndarray) -> np.ndarray:
    right, total = np.split(sums[:, 1:], 2, axis=-1)  # [draws, classes]
    return np.mean(2.0 * right / np.maximum(total, 1.0), axis=-1)


def _micro_f1(sums: np.ndarray) -> np.ndarray:
    right, total = (part.sum(-1) for part in np.split(sums[:, 1:], 2, axis=-1))
    return 2.0 * right / np.maximum(total, 1.0)


def _equal(truth: np.ndarray, said: np.ndarray, size: int) -> np.ndarray:
    same = truth == said
    return (same.all(-1) if same.ndim == 2 else same)[:, None].astype("float64")


def _mean(sums: np.ndarray) -> np.ndarray:
    return sums[:, 1] / np.maximum(sums[:, 0], 1.0)


def _distance(truth: np.ndarray, said: np.ndarray, size: int) -> np.ndarray:
    return np.abs(truth - said)[:, None].astype("float64")


def _squared(truth: np.ndarray, said: np.ndarray, size: int) -> np.ndarray:
    return np.square(truth - said)[:, None].astype("float64")


def _root(sums: np.ndarray) -> np.ndarray:
    return np.sqrt(_mean(sums))


def _moments(truth: np.ndarray, said: np.ndarray, size: int) -> np.ndarray:
    # Around a number in the middle, lest the variances drown in rounding.
    x, y = truth - truth.mean(), said - truth.mean()
    return np.stack([x, y, x * x, y * y, x * y], -1)


def _pearson(sums: np.ndarray) -> np.ndarray:
    x, y, xx, yy, xy = (sums[:, 1:] / np.maximum(sums[:, :1], 1.0)).T
    deviations = np.sqrt(np.maximum(xx - x * x, 0) * np.maximum(yy - y * y, 0))
    return np.where(deviations > 0, (xy - x * y) / np.maximum(deviations, 1e-12), 0.0)


def _kappa_columns(truth: np.ndarray, said: np.ndarray, size: int) -> np.ndarray:
    has, says = _decisions(truth, said, size)
    return np.hstack([_squared(truth, said, size), has, says]).astype("float64")


def _kappa(sums: np.ndarray) -> np.ndarray:
    observed = sums[:, 1]
    true, said = np.split(sums[:, 2:], 2, axis=-1)  # [draws, levels]
    levels = np.arange(true.shape[-1])
    distance = np.square(levels[:, None] - levels)
    expected = np.einsum("di,ij,dj->d", true, distance, said)
    expected /= np.maximum(sums[:, 0], 1.0)
    kappa = 1.0 - observed / np.maximum(expected, 1e-12)
    # All of one level on both sides: nothing to agree about but that.
    return np.where(expected > 0, kappa, (observed == 0).astype("float64"))


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("macro_f1", "macro F1", _f1_columns, _macro_f1),
        Measure("micro_f1", "micro F1", _f1_columns, _micro_f1),
        Measure("accuracy", "accuracy", _equal, _mean),
        Measure("exact_match", "exact match", _equal, _mean),
        Measure("quadratic_kappa", "quadratic kappa", _kappa_columns, _kappa),
        Measure("mae", "MAE", _distance, _mean, lower_is_better=True),
        Measure("rmse", "RMSE", _squared, _root, lower_is_better=True),
        Measure("pearson", "Pearson's r", _moments, _pearson),
        Measure("spearman", "Spearman's ρ"),
    )
}
# What early stopping goes by beside them.
LOSS = "task_loss"


def lower_is_better(name: str) -> bool:
    """Says which way `LOSS`, or one of `MEASURES`, is better.

    Args:
        name: of it.
    """
    return name == LOSS or MEASURES[name].lower_is_better
