"""`CompleteLogs`: the same columns in every epoch of a history.

In stage 1 training computes no LM loss, and `validation_freq` skips validations; the
lists of a history would have different lengths, and a `CSVLogger`, which takes its
columns from the first epoch, would never show what comes later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import keras


class CompleteLogs(keras.callbacks.Callback):
    """Adds NaN to an epoch's logs where nothing was computed.

    `in_order` puts it, and behind it `History` and every `CSVLogger`, to the end of the
    callbacks, before backups. All others see what was computed alone: TensorBoard would
    draw a NaN, and `EarlyStopping` would take it for the best value.

    Args:
        names: function that returns the names of the logs of training.

    Raises:
        ValueError: if a metric has several values, which TensorBoard cannot draw, and
            would end training after the first epoch.
    """

    def __init__(self, names: Callable[[], Iterable[str]]) -> None:
        super().__init__()
        self._names = names
        self._draws = False

    def meet(self, callbacks: list[keras.callbacks.Callback]) -> None:
        """Takes the other callbacks of the run, see `in_order`."""
        board = keras.callbacks.TensorBoard
        self._draws = any(isinstance(callback, board) for callback in callbacks)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Checks that TensorBoard can draw all metrics."""
        figures = self.model.get_metrics_result() if self._draws else {}
        vectors = [name for name, value in figures.items() if keras.ops.ndim(value)]
        if vectors:
            raise ValueError(
                f"The metrics {vectors} have a value for each class, which TensorBoard "
                'cannot draw. Give them one, such as F1Score(average="macro"), or '
                "leave `TensorBoard` out."
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the names that are missing, to the history's earlier epochs too."""
        if logs is None:
            return
        history = self.model.history.history
        for name in (*self._names(), *history):
            logs.setdefault(name, math.nan)
        done = max(map(len, history.values()), default=0)
        if done:
            for name in logs:
                history.setdefault(name, [math.nan] * done)
