"""The paper's sizes, and random batches of them."""

import dataclasses
import math

import numpy as np

# The machine's limit is what it reaches on products of an LSTM's inputs.
LIMIT_SHAPE = (1280, 1000, 4000)
LIMIT_TIMES = 10
LIMIT_PRODUCTS = 2 * LIMIT_TIMES * math.prod(LIMIT_SHAPE)


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Sizes of a language model, of the task layers on it, and of a batch.

    The defaults are the paper's: Chronopoulou et al. 2019, section 4.
    """

    vocabulary: int = 70_004
    embedding: int = 400
    hidden: int = 1000
    layers: int = 2
    task_units: int = 100
    classes: int = 2
    batch: int = 32
    time: int = 40

    def products(self, lstm_passes, softmax_passes):
        """Counts the multiplications and additions in a step's matrix products.

        A pass is a product with every weight and token: one forward, one for the
        gradient of what came in, one for that of the weights.
        """
        inputs = [self.embedding] + [self.hidden] * (self.layers - 1)
        lstm = sum(4 * self.hidden * (width + self.hidden) for width in inputs)
        lstm += self.hidden * self.embedding  # The projection.
        softmax = self.embedding * self.vocabulary
        weights = lstm_passes * lstm + softmax_passes * softmax
        return 2 * self.batch * self.time * weights

    def token_ids(self):
        """Draws token ids, int32 `[batch, time + 1]`, Zipf-distributed."""
        generator = np.random.default_rng(0)
        ranks = generator.zipf(1.2, 20 * self.batch * (self.time + 1))
        ranks = ranks[ranks < self.vocabulary - 4][: self.batch * (self.time + 1)]
        return (ranks + 3).astype("int32").reshape(self.batch, self.time + 1)

    def labels(self):
        """Draws class numbers, int32 `[batch]`."""
        return np.random.default_rng(1).integers(
            self.classes, size=self.batch, dtype="int32"
        )
