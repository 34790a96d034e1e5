"""`LossMonitors`: warns of callbacks that decide by the total loss.

It falls when γ does, whether or not the model learns anything.
"""

from __future__ import annotations

import warnings
from typing import Any

import keras

from siatl_keras.callbacks.gamma_decay import GammaDecay


class LossMonitors(keras.callbacks.Callback):
    """Tells those that monitor the total loss to beware.

    One warning per run goes to callbacks that monitor `loss` or `val_loss` while γ
    changes between epochs. The model has `gamma`, and `auxiliary_loss`, whether γ
    weighs anything.
    """

    def __init__(self) -> None:
        super().__init__()
        self._callbacks: list[Any] = []
        self._gamma: float | None = None
        self._done = False

    def meet(self, callbacks: list[keras.callbacks.Callback]) -> None:
        """Takes the other callbacks of the run, see `in_order`."""
        self._callbacks = callbacks

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Warns if a `GammaDecay` is going to change γ."""
        self._gamma, self._done = None, not self.model.auxiliary_loss
        if any(isinstance(c, GammaDecay) and c.changes for c in self._callbacks):
            self._warn()

    def on_train_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Warns if something else has changed γ since the last epoch."""
        if batch or self._done:
            return
        gamma = float(keras.ops.convert_to_numpy(self.model.gamma))
        if self._gamma not in (None, gamma):
            self._warn()
        self._gamma = gamma

    def _warn(self) -> None:
        watching = [] if self._done else total_loss_monitors(self._callbacks)
        self._done = True
        if watching:
            warnings.warn(
                f"{', '.join(watching)} would take a falling γ for an improvement: the "
                "total loss is the task loss plus γ times the LM loss, and γ changes "
                'between epochs. Pass monitor="val_task_loss".',
                stacklevel=2,
            )


def total_loss_monitors(callbacks: Any) -> list[str]:
    """Names the callbacks that decide by the total loss.

    Args:
        callbacks: all callbacks of the run.
    """
    return [
        f"{type(callback).__name__}(monitor={callback.monitor!r})"
        for callback in callbacks
        if getattr(callback, "monitor", None) in ("loss", "val_loss")
        # A `ModelCheckpoint` that keeps every epoch compares nothing.
        and getattr(callback, "save_best_only", True)
    ]
