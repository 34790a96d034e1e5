"""A training step of SiATL in each of its stages: `python -m benchmarks.finetuning`."""

from benchmarks import limit, report
from benchmarks.contest import Contestant, contest
from benchmarks.sizes import Sizes

OURS = "benchmarks.ours:finetuning_step"
# Passes that a stage needs, of the LSTMs and of the softmax.
PASSES = {1: (1, 0), 2: (3, 2), 3: (3, 3)}


def measure():
    """Compares ours with plain Keras and PyTorch, at the paper's size."""
    rows = []
    for stage, passes in PASSES.items():
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
            **limit.contestants(),
        }
        rows.append(
            {
                "work": f"fine-tuning step, stage {stage}",
                "products": Sizes().products(*passes),
                **contest(contestants),
            }
        )
    return rows


if __name__ == "__main__":
    report.show("finetuning", measure())
