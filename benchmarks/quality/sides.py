"""Who is compared: functions that learn from texts and return what answers.

Each takes texts, labels, a seed and a folder of its own, and returns a function from
texts to `Answers`, and the size of what it needs to answer, in megabytes. The folder
holds `UNLABELLED`, with a data set's other training texts, for those that learn from
such.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from siatl_keras.atomic import write_text
from siatl_keras.evaluation.calibration import calibration_of_answers

UNLABELLED = "unlabelled.jsonl"

# By name: module and function. Each stands in a module of its own, since few have the
# packages of all.
SIDES = {
    "TF-IDF + SVM": "benchmarks.peers.linear_svm:fit",
    "MiniLM + logistic regression": "benchmarks.peers.minilm:fit_logistic_regression",
    "SetFit": "benchmarks.peers.minilm:fit_setfit",
    "transformers, SmolLM2-135M": "benchmarks.peers.transformers_trainer:fit",
    "KerasHub, SmolLM2-135M": "benchmarks.peers.plain_keras_hub:fit",
    "ours, shipped LSTM": "benchmarks.quality.ours:fit_lstm",
    "ours, LSTM taught by SmolLM2-135M": "benchmarks.quality.ours:fit_taught_lstm",
    "ours, SmolLM2-135M": "benchmarks.quality.ours:fit_smollm2",
}


@dataclass(frozen=True)
class Answers:
    """What a side answers to texts.

    Attributes:
        labels: str `[texts]`.
        names: str `[classes]`, the labels in the order of the probabilities.
        probabilities: float `[texts, classes]`; `None` of a side that has none.
    """

    labels: list[str]
    names: list[str] | None = None
    probabilities: np.ndarray | None = None

    @classmethod
    def of(cls, names, probabilities):
        """Answers the most probable of `names` to each text."""
        labels = [names[number] for number in np.argmax(probabilities, axis=1)]
        return cls(labels, names, np.asarray(probabilities))

    def figures(self, truth):
        """Returns macro F1 and, of probabilities, how well they are calibrated."""
        found = {"macro_f1": f1_score(truth, self.labels, average="macro")}
        if self.probabilities is not None:
            targets, labels = (
                [self.names.index(label) for label in each]
                for each in (truth, self.labels)
            )
            calibration = calibration_of_answers(targets, labels, self.probabilities)
            found |= {"ece": calibration.ece, "brier": calibration.brier}
        return found


def write_texts(path, texts, labels=None):
    """Writes texts, and labels if given, as a .jsonl file."""
    rows = [{"text": text} for text in texts]
    if labels is not None:
        rows = [
            {**row, "label": label} for row, label in zip(rows, labels, strict=True)
        ]
    write_text(path, "".join(json.dumps(row) + "\n" for row in rows))


def folder_megabytes(folder):
    """Adds the sizes of a folder's files up."""
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files) / 1e6
