"""`MonitorDirections`: tells callbacks with `mode="auto"` which way is better.

Keras looks for a metric's direction among the metrics that it has compiled itself.
"""

from __future__ import annotations

from typing import Any

import keras

from siatl_keras.compat.trainer import direction_of


class MonitorDirections(keras.callbacks.Callback):
    """Sets the `mode` of callbacks that monitor a metric of the model or a loss.

    The model has a `joint_loss`, which knows its metrics by the names in the logs.
    """

    def __init__(self) -> None:
        super().__init__()
        self._callbacks: list[Any] = []

    def meet(self, callbacks: list[keras.callbacks.Callback]) -> None:
        """Takes the other callbacks of the run, see `in_order`."""
        self._callbacks = callbacks

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Sets the modes."""
        metrics = self.model.joint_loss.metrics()
        for callback in self._callbacks:
            monitor = str(getattr(callback, "monitor", "")).removeprefix("val_")
            mode = "min" if monitor.endswith("loss") else None
            if monitor in metrics:
                mode = mode or direction_of(metrics[monitor])
            if mode and getattr(callback, "mode", None) == "auto":
                callback.mode = mode
