"""`OrdinalReport`: how far answers are from the truth where classes have an order."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from siatl_keras.evaluation.calibration import Calibration
from siatl_keras.evaluation.checked_answers import checked_answers
from siatl_keras.evaluation.measures import MEASURES
from siatl_keras.evaluation.report import Report, evaluate_predictions
from siatl_keras.evaluation.resampling import Interval, bootstrap_interval


@dataclass(frozen=True)
class OrdinalReport:
    """Figures of a classifier into levels.

    Attributes:
        levels: the figures that do not know of the order, level by level.
        quadratic_kappa: Cohen's kappa, disagreement weighed by its square; where there
            is one level alone on both sides, 1 if it is the same, else 0.
        mae: mean absolute difference of level numbers.
        interval: of the quadratic kappa.
    """

    picture: ClassVar[str] = "confusion.png"

    levels: Report
    quadratic_kappa: float
    mae: float
    interval: Interval

    @property
    def calibration(self) -> Calibration | None:
        """Whether probabilities mean what they say; `None` without any."""
        return self.levels.calibration

    @property
    def measures(self) -> dict[str, float]:
        """The figures to compare methods by, the main one first."""
        return {
            "quadratic_kappa": self.quadratic_kappa,
            "mae": self.mae,
            "accuracy": self.levels.accuracy,
            "macro_f1": self.levels.macro_f1,
        }

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures for JSON."""
        return {
            "quadratic_kappa": self.quadratic_kappa,
            "mae": self.mae,
            **self.levels.to_dict(),
            "interval": self.interval.to_dict(),
        }

    def to_text(self) -> str:
        """Returns the figures as aligned text: distances, then those of classes."""
        return (
            f"quadratic kappa {self.quadratic_kappa:.4f}   MAE {self.mae:.4f} levels\n"
            f"{self.interval.to_text()}\n"
            f"{self.levels.to_text()}"
        )

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Draws the confusion matrix.

        Args:
            path: PNG or SVG to be written.
        """
        self.levels.draw(path)


def evaluate_levels(
    targets: Any,
    predicted: Any,
    level_names: Sequence[str],
    probabilities: Any = None,
) -> OrdinalReport:
    """Compares predicted with true levels.

    Args:
        targets: int `[texts]`, numbers of the true levels.
        predicted: int `[texts]`, those of the predicted ones.
        level_names: names of the levels, lowest first.
        probabilities: float `[texts, levels]`, for the `Calibration`.

    Returns:
        `OrdinalReport`.

    Raises:
        ValueError: see `checked_answers` and `evaluate_predictions`.

    Example:
    >>> report = evaluate_levels([0, 1, 2], [0, 2, 2], ["bad", "fair", "good"])
    >>> round(report.mae, 3), round(report.quadratic_kappa, 3)
    (0.333, 0.8)
    """
    targets, predicted = checked_answers(targets, predicted)
    report = evaluate_predictions(targets, predicted, level_names, probabilities)
    values: dict[str, float] = {}
    for name in ("quadratic_kappa", "mae"):
        measure = MEASURES[name]
        assert measure.columns and measure.of_sums
        columns = measure.columns(targets, predicted, len(level_names))
        sums = np.concatenate([[len(targets)], columns.sum(0)])
        values[name] = float(measure.of_sums(sums[None])[0])
    interval = bootstrap_interval(
        "quadratic_kappa", targets, predicted, len(level_names)
    )
    return OrdinalReport(report, **values, interval=interval)
