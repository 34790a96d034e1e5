"""The LSTM layers alone, forward and backward: `python -m benchmarks.lstm`."""

from benchmarks import limit, report
from benchmarks.contest import Contestant, contest
from benchmarks.sizes import Sizes


def measure():
    """Compares ours with Keras's and PyTorch's, at the paper's size."""
    result = contest(
        {
            "ours": Contestant("benchmarks.ours:lstm_step"),
            "ours, bfloat16": Contestant(
                "benchmarks.ours:lstm_step", {"dtype": "mixed_bfloat16"}
            ),
            "Keras": Contestant("benchmarks.peers.plain_keras:lstm_step"),
            "PyTorch": Contestant("benchmarks.peers.pytorch:lstm_step"),
            **limit.contestants(),
        },
        rounds=9,
    )
    products = Sizes().products(lstm_passes=3, softmax_passes=0)
    return [
        {"work": "LSTM 2 × 1000, forward and backward", "products": products, **result}
    ]


if __name__ == "__main__":
    report.show("lstm", measure())
