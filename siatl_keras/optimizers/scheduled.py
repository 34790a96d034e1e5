"""`Scheduled`: an optimizer's hyperparameter that may follow a schedule.

Keras schedules learning rates only; one cycle also needs the momentum. A schedule goes
by the optimizer's own steps, so a run that is resumed needs nothing more to go on, and
no callback has to assign a value before every step.
"""

from __future__ import annotations

from typing import Any

import keras

Schedule = keras.optimizers.schedules.LearningRateSchedule


class Scheduled:
    """Descriptor: holds a number or a schedule, and reads as the step's value.

    `own(optimizer)` is what was set, for configs.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._attribute = f"_{name}_or_schedule"

    def __get__(self, optimizer: Any, owner: type | None = None) -> Any:
        """Returns the value of the optimizer's next step, a float or a tensor."""
        if optimizer is None:
            return self
        value = self.own(optimizer)
        return value(optimizer.iterations) if isinstance(value, Schedule) else value

    def __set__(self, optimizer: Any, value: Any) -> None:
        """Takes a number or a schedule."""
        setattr(optimizer, self._attribute, value)

    def own(self, optimizer: Any) -> Any:
        """Returns the number or the schedule itself."""
        return getattr(optimizer, self._attribute)

    def serialized(self, optimizer: Any) -> Any:
        """Returns the number, or the schedule as Keras serializes it."""
        value = self.own(optimizer)
        if isinstance(value, Schedule):
            return keras.optimizers.schedules.serialize(value)
        return value


def deserialized(config: dict[str, Any], name: str) -> dict[str, Any]:
    """Copies an optimizer's config, making a serialized schedule one again.

    Args:
        config: what `get_config` returned.
        name: the argument that may be a schedule.
    """
    value = config.get(name)
    if isinstance(value, dict):
        value = keras.optimizers.schedules.deserialize(value)
        config = {**config, name: value}
    return dict(config)
