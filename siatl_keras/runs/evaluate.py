"""`evaluate_classifier`: a model's figures on a file, as text, JSON and picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from siatl_keras.atomic import write_text
from siatl_keras.data import Examples
from siatl_keras.evaluation import plot_reliability
from siatl_keras.inputs import Column
from siatl_keras.models import SiATLClassifier
from siatl_keras.tasks import Task


def evaluate_classifier(
    model: SiATLClassifier, examples: Examples, folder: str | Path
) -> Any:
    """Predicts labelled texts, and writes what `write_evaluation` writes.

    Args:
        model: the classifier.
        examples: labelled texts.
        folder: where the files go.

    Returns:
        the report of the model's task.

    Raises:
        ValueError: if a label is not one of the model's.
    """
    targets = model.task.encode(Column.of_file(examples))
    outputs = model.predict(examples.texts, verbose=0)
    return write_evaluation(model.task, examples.texts, targets, outputs, folder)


def write_evaluation(
    task: Task,
    texts: Sequence[Any],
    targets: np.ndarray,
    outputs: Any,
    folder: str | Path,
) -> Any:
    """Writes `report.txt`, its pictures and `predictions.tsv`, for any classifier.

    The pictures are `confusion.png`, `f1_by_label.png` or `predicted.png`, and, where
    there are probabilities, `reliability.png`.

    Args:
        task: what was learned.
        texts: str, or tuples of two.
        targets: `[texts, …]`, what was true.
        outputs: float `[texts, outputs]`, the model's.
        folder: where the files go.

    Returns:
        the task's report.

    Raises:
        ValueError: if there are no texts, or outputs are not finite.
    """
    report = task.report(targets, outputs)
    write_text(Path(folder) / "report.txt", report.to_text())
    report.draw(Path(folder) / report.picture)
    if report.calibration is not None:
        plot_reliability(report.calibration, Path(folder) / "reliability.png")
    predictions = task.predictions(targets, outputs)
    predictions.write(Path(folder) / "predictions.tsv", texts)
    return report
