"""`GroupLearningRates`: logs the learning rate of every layer group.

Keras's callbacks log a learning rate for each optimizer, by the optimizer's name; the
group is what tells them apart.
"""

from __future__ import annotations

from typing import Any

import keras

from siatl_keras.training.grouped_optimizer import GroupedOptimizer


class GroupLearningRates(keras.callbacks.Callback):
    """Adds `learning_rate/task` and so on to the epoch's logs.

    The rates are those of the next step, whether or not the group learns at present.
    With an ordinary optimizer all groups have the same. List callbacks that read the
    logs, such as `TensorBoard`, after it.
    """

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Logs the rates."""
        if logs is None:
            return
        optimizer = self.model.optimizer
        # Under mixed_float16, Keras wraps the optimizer in a LossScaleOptimizer.
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if isinstance(optimizer, GroupedOptimizer):
            by_group = dict(optimizer.groups)
        else:
            groups = getattr(self.model, "groups", None)
            by_group = dict.fromkeys(groups.layers if groups else (), optimizer)
        for name, one in by_group.items():
            logs[f"learning_rate/{name}"] = float(
                keras.ops.convert_to_numpy(one.learning_rate)
            )
