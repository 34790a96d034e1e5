"""`evaluate_classifier`: a model's figures on a file, as text, JSON and picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from siatl_keras.atomic import write_text
from siatl_keras.data import Examples
from siatl_keras.evaluation import (
    Predictions,
    Report,
    evaluate_predictions,
    plot_confusion_matrix,
)
from siatl_keras.models import SiATLClassifier
from siatl_keras.models.class_answers import class_probabilities


def evaluate_classifier(
    model: SiATLClassifier, examples: Examples, folder: str | Path
) -> Report:
    """Predicts labelled texts, and writes what `write_evaluation` writes.

    Args:
        model: the classifier.
        examples: labelled texts.
        folder: where the files go.

    Returns:
        `Report`.

    Raises:
        ValueError: if a label is not one of the model's.
    """
    labels = model.label_map.encode(examples)
    logits = model.predict(examples.texts, verbose=0)
    # In float64, so that no two logits become one probability.
    probabilities = class_probabilities(logits, "float64").numpy()
    return write_evaluation(labels, probabilities, model.label_names, folder)


def write_evaluation(
    labels: np.ndarray,
    probabilities: np.ndarray,
    label_names: Sequence[str],
    folder: str | Path,
) -> Report:
    """Writes `report.txt`, `confusion.png` and `predictions.tsv`, for any classifier.

    Args:
        labels: int `[texts]`, true class numbers.
        probabilities: float `[texts, classes]`.
        label_names: names of the classes.
        folder: where the files go.

    Returns:
        `Report`.

    Raises:
        ValueError: see `evaluate_predictions`.
    """
    report = evaluate_predictions(labels, probabilities, label_names)
    write_text(Path(folder) / "report.txt", report.to_text())
    plot_confusion_matrix(report, Path(folder) / "confusion.png")
    Predictions(labels, probabilities).write(Path(folder) / "predictions.tsv")
    return report
