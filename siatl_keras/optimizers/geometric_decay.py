"""`GeometricDecay`: a quantity that falls by a constant factor.

Source: Chronopoulou et al. 2019, section 3: γ decays exponentially over the epochs.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from siatl_keras.arguments import check_positive, check_whole


@keras.saving.register_keras_serializable(package="siatl_keras")
class GeometricDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Falls (or rises) geometrically from `initial` to `final`, then stays there.

    Args:
        initial: float, value at step 0.
        final: float, value at step `steps - 1` and after it.
        steps: int, number of steps from `initial` to `final`, both counted.

    Call arguments:
        step: int scalar, counted from 0: a step, or an epoch.

    Returns:
        the value, between `initial` and `final`: a float of an int, else a float32
        scalar.

    Raises:
        ValueError: if an argument is out of range.

    Example:
    >>> decay = GeometricDecay(0.2, 0.1, steps=15)
    >>> [round(decay(epoch), 3) for epoch in (0, 7, 14, 20)]
    [0.2, 0.141, 0.1, 0.1]
    """

    def __init__(self, initial: float, final: float, steps: int) -> None:
        check_positive(initial=initial, final=final)
        check_whole(1, steps=steps)
        self.initial = initial
        self.final = final
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        """Returns the value at a step."""
        last = self.steps - 1
        if isinstance(step, int):
            if step >= last:
                return float(self.final)
            return float(self.initial * (self.final / self.initial) ** (step / last))
        share = ops.clip(ops.cast(step, "float32") / max(last, 1), 0.0, 1.0)
        share = ops.maximum(share, float(not last))
        return self.initial * (self.final / self.initial) ** share

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"initial": self.initial, "final": self.final, "steps": self.steps}
