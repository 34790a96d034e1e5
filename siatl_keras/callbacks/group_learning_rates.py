"""`GroupLearningRates`: logs the learning rate of every layer group.

Keras's callbacks log a learning rate for each optimizer, by the optimizer's name; the
group is what tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from siatl_keras.optimizers.grouped_optimizer import GroupedOptimizer
from siatl_keras.optimizers.groups import PAPER_GROUPS, Group, groups_of


class GroupLearningRates(keras.callbacks.Callback):
    """Adds `learning_rate/task` and so on to the epoch's logs.

    The rates are those of the next step, whether or not the group learns at present.
    With an ordinary optimizer all groups have the same. List callbacks that read the
    logs, such as `TensorBoard`, after it.

    Args:
        groups: the `Group`s, the top one first.
    """

    def __init__(self, groups: Sequence[Group] = PAPER_GROUPS) -> None:
        super().__init__()
        self.groups = tuple(groups)

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
            found = groups_of(self.model, self.groups).layers
            by_group = {name: optimizer for name, parts in found.items() if parts}
        for name, one in by_group.items():
            logs[f"learning_rate/{name}"] = float(
                keras.ops.convert_to_numpy(one.learning_rate)
            )
