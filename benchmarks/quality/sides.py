"""Who is compared: functions that learn from texts and return what answers.

Each takes texts, labels, a seed and a folder of its own, and returns a function from
texts to labels, and the size of what it needs to answer, in megabytes.
"""

from pathlib import Path

# By name: module and function. Each stands in a module of its own, since few have the
# packages of all.
SIDES = {
    "TF-IDF + SVM": "benchmarks.peers.linear_svm:fit",
    "MiniLM + logistic regression": "benchmarks.peers.minilm:fit_logistic_regression",
    "SetFit": "benchmarks.peers.minilm:fit_setfit",
    "ours, shipped LSTM": "benchmarks.quality.ours:fit_lstm",
    "ours, SmolLM2-135M": "benchmarks.quality.ours:fit_smollm2",
}


def folder_megabytes(folder):
    """Adds the sizes of a folder's files up."""
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files) / 1e6
