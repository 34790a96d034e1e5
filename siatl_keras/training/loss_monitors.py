"""`LossMonitors`: looks after callbacks that decide by one of the model's losses.

Keras knows the direction of `loss` and of metrics, of `task_loss` and `lm_loss` not;
and the total loss falls when γ does, whether or not the model learns anything.
"""

from __future__ import annotations

import warnings
from typing import Any

import keras

from siatl_keras import _keras_internals
from siatl_keras.training.gamma_decay import GammaDecay

LOSSES = ("task_loss", "lm_loss")


class LossMonitors(keras.callbacks.Callback):
    """Tells monitors of the two losses their `mode`, and those of the total beware.

    One warning a run goes to callbacks that monitor `loss` or `val_loss` while γ
    changes between epochs. The model has `gamma`, and `auxiliary_loss`, whether γ
    weighs anything.
    """

    def __init__(self) -> None:
        super().__init__()
        self._callbacks: list[Any] = []
        self._gamma: float | None = None
        self._done = False

    def set_model(self, model: keras.Model) -> None:
        """Takes the model, and looks at the other callbacks."""
        super().set_model(model)
        callback_list = _keras_internals.running_callback_list()
        self._callbacks = callback_list.callbacks if callback_list else []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Sets modes; warns if a `GammaDecay` is going to change γ."""
        for callback in self._callbacks:
            monitor = str(getattr(callback, "monitor", "")).removeprefix("val_")
            if monitor in LOSSES and getattr(callback, "mode", None) == "auto":
                callback.mode = "min"
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
