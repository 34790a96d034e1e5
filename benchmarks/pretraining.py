"""A training step of the language model: `python -m benchmarks.pretraining`."""

from benchmarks import report
from benchmarks.contest import Contestant, contest


def measure():
    """Compares ours with PyTorch and fastai, at the paper's size."""
    ours = "benchmarks.ours:pretraining_step"
    contestants = {
        "ours": Contestant(ours),
        "ours, bfloat16": Contestant(ours, {"dtype": "mixed_bfloat16"}),
        "PyTorch": Contestant("benchmarks.peers.pytorch:pretraining_step"),
        "fastai": Contestant("benchmarks.peers.fastai_awd_lstm:pretraining_step"),
    }
    return [{"work": "language-model training step", **contest(contestants)}]


if __name__ == "__main__":
    report.show("pretraining", measure())
