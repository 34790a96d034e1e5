"""A training step of SiATL in each of its stages: `python -m benchmarks.finetuning`."""

from benchmarks import report
from benchmarks.contest import Contestant, contest

OURS = "benchmarks.ours:finetuning_step"


def measure():
    """Compares ours with plain Keras and PyTorch, at the paper's size."""
    rows = []
    for stage in (1, 2, 3):
        contestants = {
            "ours": Contestant(OURS, {"stage": stage}),
            "ours, bfloat16": Contestant(
                OURS, {"stage": stage, "dtype": "mixed_bfloat16"}
            ),
            "Keras": Contestant(
                "benchmarks.peers.plain_keras:finetuning_step", {"stage": stage}
            ),
            "PyTorch": Contestant(
                "benchmarks.peers.pytorch:finetuning_step", {"stage": stage}
            ),
        }
        rows.append(
            {"work": f"fine-tuning step, stage {stage}", **contest(contestants)}
        )
    return rows


if __name__ == "__main__":
    report.show("finetuning", measure())
