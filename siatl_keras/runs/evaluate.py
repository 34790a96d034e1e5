"""`Evaluation`: what a model is worth on a file, as text, JSON, tables and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from siatl_keras.atomic import write_text
from siatl_keras.data import Examples
from siatl_keras.data.one_line import tab_separated
from siatl_keras.evaluation import (
    Mistake,
    Predictions,
    doubtful_labels,
    mistakes_text,
    most_confident_mistakes,
    plot_reliability,
)
from siatl_keras.extras import is_installed
from siatl_keras.inputs import Column
from siatl_keras.models import SiATLClassifier
from siatl_keras.runs.run_data import RunData
from siatl_keras.tasks import Task

# Of the labels that look wrong, how many the text shows; the file has all.
SHOWN = 10


@dataclass(frozen=True)
class Evaluation:
    """Figures of a classifier on labelled texts, and what it got wrong.

    Attributes:
        examples: the texts, their labels, and where they stand.
        report: the task's.
        predictions: answers and truth, text by text.
        mistakes: the surest wrong answers.
        doubtful: labels that look wrong; `None` where cleanlab is not installed.
    """

    examples: Examples
    report: Any
    predictions: Predictions
    mistakes: list[Mistake]
    doubtful: list[Mistake] | None

    @classmethod
    def of(
        cls, task: Task, examples: Examples, targets: np.ndarray, outputs: Any
    ) -> Evaluation:
        """Compares a model's outputs with the truth.

        Args:
            task: what was learned.
            examples: the texts.
            targets: `[texts, …]`, what was true.
            outputs: float `[texts, outputs]`, the model's.

        Raises:
            ValueError: if there are no texts, or outputs are not finite.
        """
        report = task.report(targets, outputs)
        predictions = task.predictions(targets, outputs)
        return cls(
            examples,
            report,
            predictions,
            most_confident_mistakes(predictions, examples.texts),
            doubtful_labels(predictions, examples.texts),
        )

    def to_text(self) -> str:
        """Returns all that it found, as aligned text."""
        are_numbers = self.report.calibration is None
        parts = [
            self.report.to_text(),
            mistakes_text(self.mistakes, are_numbers),
            self._doubts(),
        ]
        return "\n".join(part for part in parts if part)

    def _doubts(self) -> str:
        if not self.doubtful:
            return ""
        lines = [
            f"line {self.examples.lines[each.row]}: {each.to_line()}"
            for each in self.doubtful[:SHOWN]
        ]
        heading = f"labels worth a second look, of {len(self.doubtful)}:"
        return "\n".join([heading, *lines]) + "\n"

    def figures(self, name: str) -> dict[str, Any]:
        """Returns what `metrics.json` says.

        Args:
            name: what the texts are called there.
        """
        return {"measures": list(self.report.measures), name: self.report.to_dict()}

    def write(self, folder: str | Path) -> None:
        """Writes `report.txt`, its pictures, `predictions.tsv` and what is doubtful.

        Labels that look wrong are in `doubtful_labels.tsv`. The pictures are
        `confusion.png`, `f1_by_label.png` or `predicted.png`, and, where there are
        probabilities, `reliability.png`; none where matplotlib is not installed.

        Args:
            folder: where the files go.
        """
        folder = Path(folder)
        write_text(folder / "report.txt", self.to_text())
        if is_installed("matplotlib"):
            self.report.draw(folder / self.report.picture)
            if self.report.calibration is not None:
                plot_reliability(self.report.calibration, folder / "reliability.png")
        self.predictions.write(folder / "predictions.tsv", self.examples.texts)
        # Also where there are none: an earlier run's would be taken for this one's.
        if self.doubtful is not None:
            columns = ("line", "label", "predicted_label", "probability", "text")
            rows = [
                (
                    str(self.examples.lines[each.row]),
                    each.label,
                    each.answer,
                    f"{each.confidence:.4f}",
                    each.text,
                )
                for each in self.doubtful
            ]
            text = tab_separated([columns, *rows])
            write_text(folder / "doubtful_labels.tsv", text)


def evaluate_classifier(
    model: SiATLClassifier, examples: Examples, folder: str | Path
) -> Evaluation:
    """Predicts labelled texts, and writes what `Evaluation.write` writes.

    Args:
        model: the classifier.
        examples: labelled texts.
        folder: where the files go.

    Returns:
        `Evaluation`.

    Raises:
        ValueError: if a label is not one of the model's.
    """
    targets = model.task.encode(Column.of_file(examples))
    outputs = model.predict(examples.texts, verbose=0)
    evaluation = Evaluation.of(model.task, examples, targets, outputs)
    evaluation.write(folder)
    return evaluation


def evaluate_run(
    data: RunData, task: Task, outputs: np.ndarray, folder: str | Path
) -> Evaluation:
    """Writes what `Evaluation.write` writes of the texts that a run is judged by.

    Args:
        data: the run's texts.
        task: what was learned, its answers tuned.
        outputs: float `[texts, outputs]`, for `data.judged`.
        folder: where the files go.
    """
    targets = data.targets(data.judged)
    evaluation = Evaluation.of(task, data.judged, targets, outputs)
    evaluation.write(folder)
    return evaluation
