"""A training step of the language model: `python -m benchmarks.pretraining`."""

from benchmarks import limit, report
from benchmarks.contest import Contestant, contest
from benchmarks.sizes import Sizes

SAMPLED_WORDS = 8192


def measure():
    """Compares ours with PyTorch and fastai, at the paper's size."""
    ours = "benchmarks.ours:pretraining_step"
    contestants = {
        "ours": Contestant(ours),
        "ours, bfloat16": Contestant(ours, {"dtype": "mixed_bfloat16"}),
        f"ours, {SAMPLED_WORDS} sampled words": Contestant(
            ours, {"sampled_words": SAMPLED_WORDS}
        ),
        "PyTorch": Contestant("benchmarks.peers.pytorch:pretraining_step"),
        "fastai": Contestant("benchmarks.peers.fastai_awd_lstm:pretraining_step"),
        **limit.contestants(),
    }
    sizes = Sizes()
    return [
        {
            "work": "language-model training",
            "units": {"count": sizes.batch * sizes.time, "name": "tokens"},
            "products": sizes.products(lstm_passes=3, softmax_passes=3),
            **contest(contestants),
        }
    ]


if __name__ == "__main__":
    report.show("pretraining", measure())
