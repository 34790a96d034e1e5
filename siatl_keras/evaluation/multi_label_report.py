"""`MultiLabelReport`: how good the answers are where a text may have several labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from siatl_keras.evaluation.calibration import (
    Calibration,
    calibration_figures,
    calibration_of_labels,
    calibration_text,
)
from siatl_keras.evaluation.checked_answers import checked_answers
from siatl_keras.evaluation.plots import plot_f1_by_label
from siatl_keras.evaluation.resampling import Interval, bootstrap_interval


@dataclass(frozen=True)
class MultiLabelReport:
    """Figures of a classifier that gives any number of labels.

    Attributes:
        label_names: the labels, in the order of the rows below.
        macro_f1: unweighted mean of the labels' F1.
        micro_f1: F1 over all decisions.
        exact_match: share of texts whose labels are all right.
        precision: of each label.
        recall: of each label.
        f1: of each label; 0 for one that no text has or is said to have.
        support: texts that have each label.
        texts: number of texts.
        interval: of the macro F1.
        calibration: of all labels of all texts; `None` without probabilities.
    """

    picture: ClassVar[str] = "f1_by_label.png"

    label_names: list[str]
    macro_f1: float
    micro_f1: float
    exact_match: float
    precision: list[float]
    recall: list[float]
    f1: list[float]
    support: list[int]
    texts: int
    interval: Interval
    calibration: Calibration | None = None

    @property
    def measures(self) -> dict[str, float]:
        """The figures to compare methods by, the main one first."""
        return {
            "macro_f1": self.macro_f1,
            "micro_f1": self.micro_f1,
            "exact_match": self.exact_match,
        }

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures for JSON."""
        return {
            **self.measures,
            "texts": self.texts,
            "labels": {
                name: {
                    "precision": self.precision[index],
                    "recall": self.recall[index],
                    "f1": self.f1[index],
                    "support": self.support[index],
                }
                for index, name in enumerate(self.label_names)
            },
            "interval": self.interval.to_dict(),
            **calibration_figures(self.calibration),
        }

    def to_text(self) -> str:
        """Returns the figures as aligned text: totals, then labels."""
        width = max(len(name) for name in [*self.label_names, "label"])
        lines = [
            f"macro F1 {self.macro_f1:.4f}   micro F1 {self.micro_f1:.4f}   "
            f"exact match {self.exact_match:.4f}   texts {self.texts}",
            self.interval.to_text(),
            "",
            f"{'label':<{width}}  precision  recall      F1  texts",
        ]
        for index, name in enumerate(self.label_names):
            lines.append(
                f"{name:<{width}}  {self.precision[index]:9.4f}  "
                f"{self.recall[index]:6.4f}  {self.f1[index]:6.4f}  "
                f"{self.support[index]:5d}"
            )
        return "\n".join(lines) + "\n" + calibration_text(self.calibration)

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Draws the F1 of each label.

        Args:
            path: PNG or SVG to be written.
        """
        plot_f1_by_label(self, path)


def evaluate_multi_label(
    targets: Any,
    predicted: Any,
    label_names: Sequence[str],
    probabilities: Any = None,
) -> MultiLabelReport:
    """Compares predicted with true labels.

    Args:
        targets: 0 or 1, `[texts, labels]`.
        predicted: 0 or 1, `[texts, labels]`.
        label_names: names of the labels.
        probabilities: float `[texts, labels]`, for the `Calibration`.

    Returns:
        `MultiLabelReport`.

    Raises:
        ValueError: see `checked_answers`; or if there is not a name for each label, or
            a value is not 0 or 1.

    Example:
    >>> report = evaluate_multi_label([[1, 0], [1, 1]], [[1, 0], [0, 1]], ["a", "b"])
    >>> round(report.micro_f1, 3), report.exact_match
    (0.8, 0.5)
    """
    targets, predicted = checked_answers(targets, predicted)
    if targets.ndim != 2 or targets.shape[1] != len(label_names):
        raise ValueError(
            "`targets` must have a column for each of `label_names`. Received: shape "
            f"{targets.shape} and {len(label_names)} names."
        )
    for values in (targets, predicted):
        if not np.isin(values, (0, 1)).all():
            raise ValueError(
                "`targets` and `predicted` must be 0 or 1. Received: "
                f"{np.unique(values)[:4].tolist()}."
            )
    targets, predicted = targets.astype(int), predicted.astype(int)
    options = {"zero_division": 0}
    precision, recall, f1, support = precision_recall_fscore_support(
        targets, predicted, average=None, **options
    )
    micro = precision_recall_fscore_support(
        targets, predicted, average="micro", **options
    )
    return MultiLabelReport(
        label_names=[str(name) for name in label_names],
        macro_f1=float(np.mean(f1)),
        micro_f1=float(micro[2]),
        exact_match=float((targets == predicted).all(1).mean()),
        precision=precision.tolist(),
        recall=recall.tolist(),
        f1=f1.tolist(),
        support=[int(count) for count in support],
        texts=len(targets),
        interval=bootstrap_interval("macro_f1", targets, predicted),
        calibration=None
        if probabilities is None
        else calibration_of_labels(targets, probabilities),
    )
