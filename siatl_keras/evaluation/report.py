"""`Report`: how good predictions are, as numbers and as text.

scikit-learn's definitions; a class that nobody has or predicts has an F1 of 0, as in
the metric `MacroF1`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    classification_report,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from siatl_keras.evaluation.calibration import (
    Calibration,
    calibration_figures,
    calibration_of_answers,
    calibration_text,
)
from siatl_keras.evaluation.plots import plot_confusion_matrix
from siatl_keras.evaluation.resampling import Interval, bootstrap_interval

# Columns of a confusion matrix in text; a wider one is but its largest errors.
MOST_COLUMNS = 100
MOST_CONFUSIONS = 10


@dataclass(frozen=True)
class Report:
    """Figures of a classifier on labelled texts.

    Attributes:
        label_names: the classes, in the order of the rows below.
        accuracy: share of texts predicted right.
        macro_f1: unweighted mean of the classes' F1.
        micro_f1: F1 over all decisions.
        precision: of each class.
        recall: of each class.
        f1: of each class.
        support: texts of each class.
        confusion: int `[classes, classes]`, rows are the true classes.
        interval: of the macro F1.
        calibration: whether probabilities mean what they say; `None` without any.
    """

    picture: ClassVar[str] = "confusion.png"

    label_names: list[str]
    accuracy: float
    macro_f1: float
    micro_f1: float
    precision: list[float]
    recall: list[float]
    f1: list[float]
    support: list[int]
    confusion: list[list[int]]
    interval: Interval
    calibration: Calibration | None = None

    @property
    def measures(self) -> dict[str, float]:
        """The figures to compare methods by, the main one first."""
        return {"macro_f1": self.macro_f1, "accuracy": self.accuracy}

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Draws the confusion matrix.

        Args:
            path: PNG or SVG to be written.
        """
        plot_confusion_matrix(self, path)

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures for JSON."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "micro_f1": self.micro_f1,
            "classes": {
                name: {
                    "precision": self.precision[index],
                    "recall": self.recall[index],
                    "f1": self.f1[index],
                    "support": self.support[index],
                }
                for index, name in enumerate(self.label_names)
            },
            "confusion": self.confusion,
            "interval": self.interval.to_dict(),
            **calibration_figures(self.calibration),
        }

    def to_text(self) -> str:
        """Returns the figures as aligned text: totals, classes, confusion matrix."""
        matrix = np.array(self.confusion)
        true, predicted = (
            np.repeat(numbers.ravel(), matrix.ravel())
            for numbers in np.indices(matrix.shape)
        )
        lines = [
            f"accuracy {self.accuracy:.4f}   macro F1 {self.macro_f1:.4f}   "
            f"micro F1 {self.micro_f1:.4f}   texts {sum(self.support)}",
            self.interval.to_text(),
            "",
            classification_report(
                true,
                predicted,
                labels=range(len(matrix)),
                target_names=self.label_names,
                digits=4,
                zero_division=0,
            ),
        ]
        lines += self._confusions()
        return "\n".join(lines) + "\n" + calibration_text(self.calibration)

    def _confusions(self) -> list[str]:
        width = max(len(name) for name in self.label_names)
        columns = [max(len(name), 5) for name in self.label_names]
        if width + sum(columns) + 2 * len(columns) > MOST_COLUMNS:
            return self._largest_confusions()
        header = "  ".join(
            f"{name:>{column}}"
            for name, column in zip(self.label_names, columns, strict=True)
        )
        lines = [
            "rows: true class, columns: predicted",
            f"{'':<{width}}  {header}",
        ]
        for name, row in zip(self.label_names, self.confusion, strict=True):
            counts = "  ".join(
                f"{count:>{column}}" for count, column in zip(row, columns, strict=True)
            )
            lines.append(f"{name:<{width}}  {counts}")
        return lines

    def _largest_confusions(self) -> list[str]:
        matrix = np.array(self.confusion)
        np.fill_diagonal(matrix, 0)
        order = np.argsort(-matrix, axis=None, kind="stable")[:MOST_CONFUSIONS]
        names = self.label_names
        return ["most frequent errors: texts, true class → predicted"] + [
            f"{matrix[row, column]:>5}  {names[row]} → {names[column]}"
            for row, column in zip(*np.unravel_index(order, matrix.shape), strict=True)
            if matrix[row, column]
        ]


def evaluate_predictions(
    labels: Any,
    predictions: Any,
    label_names: Sequence[str],
    probabilities: Any = None,
) -> Report:
    """Compares predicted with true classes.

    Args:
        labels: int `[texts]`, true class numbers.
        predictions: int `[texts]`, predicted class numbers; or float
            `[texts, classes]`, logits or probabilities.
        label_names: names of the classes.
        probabilities: float `[texts, classes]`, for the `Calibration`.

    Returns:
        `Report`.

    Raises:
        ValueError: if there are no texts, or not as many predictions as labels, or
            predictions are not finite, or a class has no name.

    Example:
    >>> report = evaluate_predictions([0, 1, 1], [0, 1, 0], ["plain", "sarcastic"])
    >>> round(report.accuracy, 3), report.confusion
    (0.667, [[1, 0], [1, 1]])
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if predictions.ndim == 2:
        if not np.isfinite(predictions).all():
            raise ValueError(
                "`predictions` must be finite. Received NaN or infinity: the model's "
                "training has diverged."
            )
        predictions = predictions.argmax(-1)
    if len(labels) != len(predictions) or not len(labels):
        raise ValueError(
            "`labels` and `predictions` must be equally many, and at least one. "
            f"Received: {len(labels)} and {len(predictions)}."
        )
    numbers = list(range(len(label_names)))
    unknown = sorted({*labels.tolist(), *predictions.tolist()} - {*numbers})
    if unknown:
        raise ValueError(
            f"`label_names` must name every class. Received: {len(numbers)} names, and "
            f"the classes {unknown}."
        )
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predictions, labels=numbers, zero_division=0
    )
    scores = {"labels": numbers, "zero_division": 0}
    return Report(
        label_names=[str(name) for name in label_names],
        accuracy=float(accuracy_score(labels, predictions)),
        macro_f1=float(f1_score(labels, predictions, average="macro", **scores)),
        micro_f1=float(f1_score(labels, predictions, average="micro", **scores)),
        precision=precision.tolist(),
        recall=recall.tolist(),
        f1=f1.tolist(),
        support=[int(count) for count in support],
        confusion=confusion_matrix(labels, predictions, labels=numbers).tolist(),
        interval=bootstrap_interval("macro_f1", labels, predictions, len(numbers)),
        calibration=None
        if probabilities is None
        else calibration_of_answers(labels, predictions, probabilities),
    )
