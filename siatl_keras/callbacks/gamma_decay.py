"""`GammaDecay`: lowers the weight of the auxiliary LM loss as training goes on.

Source: Chronopoulou et al. 2019, section 3 and eq. 3; the authors' own settings for
their sarcasm set go from exp(-1.6) to exp(-2.3) in 15 epochs.
"""

from __future__ import annotations

import math
from typing import Any

import keras

from siatl_keras.arguments import check_choice, check_positive, check_whole
from siatl_keras.callbacks.inside_execution import InsideExecution
from siatl_keras.optimizers.geometric_decay import GeometricDecay


class GammaDecay(keras.callbacks.Callback):
    """Assigns `model.gamma` before each epoch, or each step, and logs it as `gamma`.

    Each step has its own value also where `steps_per_execution` runs several at once.
    The value depends on the epoch (or step) alone, so a resumed run continues
    where it was. List callbacks that read the logs, such as `TensorBoard`, after it.

    Args:
        initial: float, γ at the first epoch.
        final: float, γ at epoch number `epochs`, and constant from there on.
        epochs: int, length of the decay: in epochs, or in steps if `per` is "step".
        per: "epoch" or "step", when γ is assigned and what `epochs` counts.
        schedule: a `keras.optimizers.schedules.LearningRateSchedule`, called with the
            epoch (or step), from 0, in place of the geometric decay.

    Raises:
        ValueError: if an argument is out of range, or the model has no `gamma`.

    Example:
    >>> decay = GammaDecay(initial=0.2, final=0.1, epochs=15)
    >>> round(decay.value(0), 3), round(decay.value(14), 3), round(decay.value(20), 3)
    (0.2, 0.1, 0.1)
    """

    def __init__(
        self,
        initial: float = 0.2,
        final: float = 0.1,
        epochs: int = 15,
        per: str = "epoch",
        schedule: keras.optimizers.schedules.LearningRateSchedule | None = None,
    ) -> None:
        super().__init__()
        if initial == 0 or final == 0:
            raise ValueError(
                "`initial` and `final` must be positive numbers: a geometric decay "
                "never reaches 0. For a model without the auxiliary loss, pass "
                "`auxiliary_loss=False` to it. Received: "
                f"initial={initial}, final={final}."
            )
        check_positive(initial=initial, final=final)
        check_whole(1, epochs=epochs)
        check_choice(("epoch", "step"), per=per)
        if schedule is not None and not callable(schedule):
            raise ValueError(
                "`schedule` must be a `LearningRateSchedule`, or None. Received: "
                f"schedule={schedule!r}."
            )
        self.per = per
        self.schedule = schedule or GeometricDecay(initial, final, epochs)
        self._step: int | None = None
        self._inside = InsideExecution(lambda gamma: self.model.gamma.assign(gamma))

    @property
    def changes(self) -> bool:
        """Whether γ is going to change."""
        decay = self.schedule
        if not isinstance(decay, GeometricDecay):
            return True
        return decay.initial != decay.final and decay.steps > 1

    def value(self, position: int) -> float:
        """Returns γ at an epoch, or step, counted from 0.

        Raises:
            ValueError: if `schedule` returns no number from 0 up.
        """
        gamma = float(self.schedule(position))
        if not 0 <= gamma < math.inf:
            raise ValueError(
                f"`schedule` must return γ, a number from 0 up. Received: {gamma} "
                f"for {self.per} {position}."
            )
        return gamma

    def state_for_backup(self) -> dict[str, Any]:
        """Returns what resuming needs beyond the epoch."""
        return {"step": self._step}

    def restore_from_backup(self, state: dict[str, Any]) -> None:
        """Takes what `state_for_backup` returned."""
        self._step = state["step"]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Checks the model."""
        if not hasattr(self.model, "gamma"):
            raise ValueError(
                "`GammaDecay` assigns the model's `gamma`, a scalar `keras.Variable` "
                "that weighs the LM loss, as `SiATLClassifier` has one. Received: "
                f"{type(self.model).__name__} without `gamma`. Remove the callback."
            )
        self._step = None
        if self.per == "step":
            self._inside.enter(self.model)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Assigns γ of the epoch."""
        if self.per == "epoch":
            self.model.gamma.assign(self.value(epoch))

    def on_train_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Assigns γ of the step, or of each step of an execution."""
        if self.per == "step":
            if self._step is None:
                # Not 0 where `fit` goes on with `initial_epoch`. Counted here from
                # then on, because an optimizer of a later stage starts at 0.
                iterations = self.model.optimizer.iterations
                self._step = int(keras.ops.convert_to_numpy(iterations))
            steps = range(self._step, self._step + self._inside.steps)
            self._inside.begin([self.value(step) for step in steps])

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Counts the steps that one execution made."""
        if self._step is not None:
            self._step += self._inside.end()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leaves the model's train step as it was."""
        self._inside.leave()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Logs γ as it was in the epoch's last step."""
        if logs is not None:
            logs["gamma"] = float(keras.ops.convert_to_numpy(self.model.gamma))
