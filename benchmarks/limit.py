"""The machine's own rate on a product of the paper's size, the limit of all others.

`python -m benchmarks.limit`
"""

import tensorflow as tf

from benchmarks import report
from benchmarks.contest import Contestant, contest
from benchmarks.sizes import LIMIT_PRODUCTS, LIMIT_SHAPE, LIMIT_TIMES

DTYPES = ("float32", "bfloat16")


def products(dtype):
    """Makes ten matrix products of the size of an LSTM's inputs."""
    rows, inner, columns = LIMIT_SHAPE
    left = tf.cast(tf.random.normal([rows, inner]), dtype)
    right = tf.cast(tf.random.normal([inner, columns]), dtype)
    multiply = tf.function(tf.matmul)

    def work():
        for _ in range(LIMIT_TIMES):
            result = multiply(left, right)
        return result.numpy()

    return work


def contestants():
    """Lets the machine's limit run in turn with what is measured against it."""
    return {
        f"limit, {dtype}": Contestant("benchmarks.limit:products", {"dtype": dtype})
        for dtype in DTYPES
    }


def measure():
    """Measures float32 and bfloat16."""
    mine = {name.replace("limit", "ours"): each for name, each in contestants().items()}
    units = {"count": 1e-9 * LIMIT_PRODUCTS, "name": "GFLOP"}
    work = f"matrix product {' × '.join(map(str, LIMIT_SHAPE))}"
    return [{"work": work, "units": units, **contest(mine)}]


if __name__ == "__main__":
    report.show("limit", measure())
