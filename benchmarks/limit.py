"""The machine's own rate on a product of the paper's size, the limit of all others.

`python -m benchmarks.limit`
"""

import tensorflow as tf

from benchmarks import report
from benchmarks.contest import Contestant, contest

ROWS, INNER, COLUMNS = 1280, 1000, 4000


def product(dtype):
    """Makes a matrix product of the size of an LSTM's inputs."""
    left = tf.cast(tf.random.normal([ROWS, INNER]), dtype)
    right = tf.cast(tf.random.normal([INNER, COLUMNS]), dtype)
    multiply = tf.function(tf.matmul)
    return lambda: multiply(left, right).numpy()


def measure():
    """Measures float32 and bfloat16."""
    contestants = {
        f"ours, {dtype}": Contestant("benchmarks.limit:product", {"dtype": dtype})
        for dtype in ("float32", "bfloat16")
    }
    count = 2e-9 * ROWS * INNER * COLUMNS
    result = contest(contestants, repeats=10)
    units = {"count": count, "name": "GFLOP"}
    return [{"work": "matrix product 1280 × 1000 × 4000", "units": units, **result}]


if __name__ == "__main__":
    report.show("limit", measure())
