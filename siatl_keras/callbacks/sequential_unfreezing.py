"""`SequentialUnfreezing`: lets a pretrained model's layers learn stage by stage.

Source: Chronopoulou et al. 2019, section 3, "sequential unfreezing".
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from siatl_keras.callbacks.phases import (
    PAPER_STAGES,
    Phase,
    check_named,
    check_phases,
    layers_learning,
    phase_number,
)
from siatl_keras.optimizers.groups import (
    PAPER_GROUPS,
    Group,
    LayerGroups,
    LayerPart,
    groups_of,
)


class SequentialUnfreezing(keras.callbacks.Callback):
    """Thaws and freezes groups of layers, phase by phase; logs `stage`.

    What learns depends on the epoch alone, so a resumed run, or one with
    `initial_epoch`, goes on in the right phase. The optimizer keeps the state of what
    already learned, unless the phase names an optimizer of its own. The last phase is
    left as it is when training ends. Unless `fit(verbose=0)`, a line says what begins
    to learn. List callbacks that read the logs, such as `TensorBoard`, after it.

    The model has `parts`, see `groups_of`, and its optimizer must have been built on
    the weights of all of them, as `SiATLClassifier` does.

    Args:
        phases: the phases in the order of their epochs, see `Phase`; the paper's by
            default, see `stages`.
        groups: the `Group`s that the phases name, the top one first. What is in none
            is frozen.

    Raises:
        ValueError: if the phases are out of order, or the model has no such groups.

    Example:
    >>> from siatl_keras.plans import stages
    >>> unfreezing = SequentialUnfreezing(stages(backbone_epoch=2, embedding_epoch=5))
    >>> [unfreezing.stage(epoch) for epoch in (1, 2, 4, 5)]
    [1, 2, 2, 3]
    """

    def __init__(
        self,
        phases: Sequence[Phase] = PAPER_STAGES,
        groups: Sequence[Group] = PAPER_GROUPS,
    ) -> None:
        super().__init__()
        self.phases = check_phases(phases)
        self.groups = tuple(groups)
        check_named(self.phases, self.groups)
        self._stage_with_optimizer = 1
        self._began = False
        self._epochs_run = 0

    def stage(self, epoch: int) -> int:
        """Returns the number of the phase, from 1, of an epoch counted from 1."""
        return phase_number(self.phases, epoch)

    def state_for_backup(self) -> dict[str, Any]:
        """Returns the stage whose optimizer the model has."""
        return {"stage_with_optimizer": self._stage_with_optimizer}

    def restore_from_backup(self, state: dict[str, Any]) -> None:
        """Gives the model the optimizer that it had when the backup was made."""
        self._set_optimizer(state["stage_with_optimizer"])

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Checks the model."""
        if not hasattr(self.model, "parts"):
            raise ValueError(
                "`SequentialUnfreezing` needs a model with `parts`, the layers that "
                "may learn, as `SiATLClassifier` has them. Received: "
                f"{type(self.model).__name__}."
            )
        if any(phase.optimizer for phase in self.phases) and not hasattr(
            self.model, "recompile"
        ):
            raise ValueError(
                "A phase with an optimizer of its own needs a model with a method "
                "`recompile(optimizer)`, as `SiATLClassifier` has it. Received: "
                f"{type(self.model).__name__}."
            )
        self._stage_with_optimizer = 1
        self._began = False
        self._epochs_run = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Thaws and freezes what the epoch asks for."""
        groups = groups_of(self.model, self.groups)
        learning = layers_learning(self.phases, groups.layers, epoch + 1)
        thawed = {
            name: [part for part in parts if not part.trainable]
            for name, parts in learning.items()
        }
        changed = _set_trainable(groups, learning)
        self._set_optimizer(self.stage(epoch + 1))
        if changed or not self._began:
            # A graph traced before knows nothing of the new flags, and one may have
            # been traced in an earlier `fit`.
            self.model.make_train_function(force=True)
        if self._began or epoch > 0:
            self._report(epoch, thawed)
        self._began = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Logs the stage."""
        self._epochs_run = epoch + 1
        if logs is not None:
            logs["stage"] = self.stage(epoch + 1)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Warns if training was stopped before the last phase began."""
        last = self.phases[-1].from_epoch
        epochs = self._epochs_run
        if self.model.stop_training and epochs < last:
            warnings.warn(
                f"Training was stopped after epoch {epochs}, in stage "
                f"{self.stage(epochs)}: stage {self.stage(last)}, which begins with "
                f"epoch {last}, never came. Let the stages begin earlier, or early "
                "stopping have more patience.",
                stacklevel=2,
            )

    def _set_optimizer(self, stage: int) -> None:
        """Recompiles if a phase up to this one brings an optimizer not yet in place."""
        due = [
            number
            for number, phase in enumerate(self.phases, start=1)
            if phase.optimizer and self._stage_with_optimizer < number <= stage
        ]
        if due:
            self._stage_with_optimizer = max(due)
            self.model.recompile(self.phases[max(due) - 1].optimizer)

    def _report(self, epoch: int, thawed: dict[str, list[LayerPart]]) -> None:
        chief = self.model.distribute_strategy.extended.should_save_summary
        if not self.params.get("verbose") or not chief or not any(thawed.values()):
            return
        parts = []
        for name, layers in thawed.items():
            if layers:
                sizes = [np.prod(w.shape) for x in layers for w in x.variables]
                parts.append(
                    f"{name} ({len(layers)} layer{'s' * (len(layers) > 1)}, "
                    f"{int(sum(sizes)):,} weights)"
                )
        stage = self.stage(epoch + 1)
        print(f"Epoch {epoch + 1}, stage {stage}: now learning {' and '.join(parts)}")


def _set_trainable(groups: LayerGroups, learning: dict[str, list[LayerPart]]) -> bool:
    """Sets every part's flag; tells whether one changed."""
    wanted = {id(part) for parts in learning.values() for part in parts}
    changed = False
    for part in [*groups.others, *sum(map(list, groups.layers.values()), [])]:
        if part.trainable != (id(part) in wanted):
            part.trainable = id(part) in wanted
            changed = True
    return changed
