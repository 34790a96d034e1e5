"""`NumberReport`: how far answers are from the truth where they are numbers."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from scipy import stats

from siatl_keras.evaluation.checked_answers import checked_answers
from siatl_keras.evaluation.plots import plot_numbers
from siatl_keras.evaluation.resampling import Interval, bootstrap_interval


@dataclass(frozen=True)
class NumberReport:
    """Figures of a regression.

    Attributes:
        mae: mean absolute error.
        rmse: root of the mean squared error.
        pearson: correlation; 0 where one side is always the same, as for `spearman`.
        spearman: correlation of ranks.
        mae_of_median: the error of always answering the true numbers' median.
        mean: of the true numbers.
        std: their standard deviation.
        targets: the true numbers, `[texts]`.
        predicted: the answers, `[texts]`.
        interval: of the MAE.
    """

    picture: ClassVar[str] = "predicted.png"
    # There are no probabilities.
    calibration: ClassVar[None] = None

    mae: float
    rmse: float
    pearson: float
    spearman: float
    mae_of_median: float
    mean: float
    std: float
    targets: np.ndarray = field(repr=False)
    predicted: np.ndarray = field(repr=False)
    interval: Interval

    @property
    def measures(self) -> dict[str, float]:
        """The figures to compare methods by, the main one first."""
        return {
            "mae": self.mae,
            "rmse": self.rmse,
            "pearson": self.pearson,
            "spearman": self.spearman,
        }

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures for JSON."""
        return {
            **self.measures,
            "mae_of_median": self.mae_of_median,
            "mean": self.mean,
            "std": self.std,
            "texts": len(self.targets),
            "interval": self.interval.to_dict(),
        }

    def to_text(self) -> str:
        """Returns the figures as text."""
        return (
            f"MAE {self.mae:.4f}   RMSE {self.rmse:.4f}   Pearson's r "
            f"{self.pearson:.4f}   Spearman's ρ {self.spearman:.4f}   texts "
            f"{len(self.targets)}\n{self.interval.to_text()}\n\n"
            f"true numbers: mean {self.mean:.4g}, standard deviation {self.std:.4g}\n"
            f"MAE of always answering their median: {self.mae_of_median:.4f}\n"
        )

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Draws the answers against the truth.

        Args:
            path: PNG or SVG to be written.
        """
        plot_numbers(self, path)


def evaluate_numbers(targets: Any, predicted: Any) -> NumberReport:
    """Compares predicted with true numbers.

    Args:
        targets: float `[texts]`, the true numbers.
        predicted: float `[texts]`.

    Returns:
        `NumberReport`.

    Raises:
        ValueError: see `checked_answers`.

    Example:
    >>> report = evaluate_numbers([1.0, 2.0, 4.0], [1.0, 3.0, 4.0])
    >>> round(report.mae, 3), report.spearman
    (0.333, 1.0)
    """
    targets, predicted = checked_answers(targets, predicted)
    targets, predicted = targets.astype("float64"), predicted.astype("float64")
    errors = predicted - targets
    varies = np.ptp(targets) > 0 and np.ptp(predicted) > 0
    pearson = stats.pearsonr(targets, predicted).statistic if varies else 0.0
    spearman = stats.spearmanr(targets, predicted).statistic if varies else 0.0
    return NumberReport(
        mae=float(np.abs(errors).mean()),
        rmse=float(np.sqrt(np.square(errors).mean())),
        pearson=float(pearson),
        spearman=float(spearman),
        mae_of_median=float(np.abs(targets - np.median(targets)).mean()),
        mean=float(targets.mean()),
        std=float(targets.std()),
        targets=targets,
        predicted=predicted,
        interval=bootstrap_interval("mae", targets, predicted),
    )
