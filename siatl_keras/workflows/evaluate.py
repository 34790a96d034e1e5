"""`evaluate_classifier`: a model's figures on a file, as text, JSON and picture."""

from __future__ import annotations

from pathlib import Path

from siatl_keras.atomic import write_text
from siatl_keras.data import Examples
from siatl_keras.evaluation import Report, evaluate_predictions, plot_confusion_matrix
from siatl_keras.models import SiATLClassifier


def evaluate_classifier(
    model: SiATLClassifier, examples: Examples, folder: str | Path
) -> Report:
    """Predicts labelled texts, and writes `report.txt` and `confusion.png`.

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
    report = evaluate_predictions(labels, logits, model.label_names)
    write_text(Path(folder) / "report.txt", report.to_text())
    plot_confusion_matrix(report, Path(folder) / "confusion.png")
    return report
