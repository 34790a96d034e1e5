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

from siatl_keras import _keras_internals
from siatl_keras.training.backup_and_restore import BackupAndRestore


class CompleteLogs(keras.callbacks.Callback):
    """Adds NaN to an epoch's logs where nothing was computed.

    It moves itself, and behind it `History` and every `CSVLogger`, to the end of the
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

    def set_model(self, model: keras.Model) -> None:
        """Takes the model, and the place among the callbacks."""
        super().set_model(model)
        callback_list = _keras_internals.running_callback_list()
        if callback_list is None:
            return
        others: list[Any] = [c for c in callback_list.callbacks if c is not self]
        recorders = (keras.callbacks.History, keras.callbacks.CSVLogger)
        self._draws = any(isinstance(c, keras.callbacks.TensorBoard) for c in others)
        backups = (BackupAndRestore, keras.callbacks.BackupAndRestore)
        # A new list: Keras is walking through the old one.
        callback_list.callbacks = [
            *(c for c in others if not isinstance(c, recorders + backups)),
            self,
            *(c for c in others if isinstance(c, recorders)),
            *(c for c in others if isinstance(c, backups)),
        ]

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
