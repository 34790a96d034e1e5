"""Who is compared: functions that learn from texts and return what answers.

Each takes texts, labels, a seed and a folder of its own, and returns a function from
texts to labels, and the size of what it needs to answer, in megabytes. The folder holds
`UNLABELLED`, with a data set's other training texts, for those that learn from such.
"""

import json
from pathlib import Path

from siatl_keras.atomic import write_text

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
