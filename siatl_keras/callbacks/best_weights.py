"""`BestWeights`: early stopping that does not copy what has not changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


class BestWeights(keras.callbacks.EarlyStopping):
    """`keras.callbacks.EarlyStopping` that restores the best weights, in less memory.

    Keras copies all weights at each new best epoch, and while it does so holds the
    copy before as well. This holds the tensors that the variables hold: TensorFlow
    makes a new one where a step changes a variable whose tensor is still held, so that
    what is frozen takes no memory of its own, and what learns takes that of one copy.

    Args:
        monitor: str, name in the logs.
        patience: int, epochs without a better value after which training ends.
        mode: "min", "max" or "auto", which way is better. `MonitorDirections` knows
            it for the metrics of this package's models.

    Example:
    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit(np.ones((8, 1)), np.ones(8), epochs=3, verbose=0,
    ...     callbacks=[BestWeights("loss", patience=1)])
    """

    def __init__(self, monitor: str, patience: int, mode: str = "auto") -> None:
        super().__init__(monitor, patience=patience, mode=mode)
        self._weights: Sequence[Any] = []

    def arrays_for_backup(self) -> Sequence[Any]:
        """Returns the best weights so far; none before the first."""
        return self._weights

    def restore_arrays(self, arrays: Sequence[Any]) -> None:
        """Takes what `arrays_for_backup` returned."""
        self._weights = arrays

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begins without a best epoch."""
        super().on_train_begin(logs)
        self._weights = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps the weights if they are the best so far."""
        super().on_epoch_end(epoch, logs)
        if self.best is not None and self.best_epoch == epoch:
            self._weights = []  # What was the best goes before anything is copied.
            self._weights = [tf.convert_to_tensor(v.value) for v in self.model.weights]

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Gives the model the best weights."""
        super().on_train_end(logs)
        if self._weights:
            for variable, best in zip(self.model.weights, self._weights, strict=True):
                variable.assign(best)
        self._weights = []
