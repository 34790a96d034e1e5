"""`SetEpoch`: tells the data which epoch begins.

A dataset that shuffles from a seed and the epoch gives a resumed run the order that the
uninterrupted run would have had.
"""

from __future__ import annotations

from typing import Any

import keras


class SetEpoch(keras.callbacks.Callback):
    """Calls `counter.set(epoch)` at the beginning of every epoch.

    Args:
        counter: a `siatl_keras.data.EpochCounter` that a dataset was made with.

    Raises:
        ValueError: if `counter` is something else.
    """

    def __init__(self, counter: Any) -> None:
        super().__init__()
        if not callable(getattr(counter, "set", None)):
            raise ValueError(
                "`counter` must be an `EpochCounter`, or have a method `set(epoch)`. "
                f"Received: counter={counter!r}."
            )
        self.counter = counter

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the epoch, counted from 0."""
        self.counter.set(epoch)
