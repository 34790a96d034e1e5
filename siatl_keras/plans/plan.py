"""`Plan`: how a model is taught, as a value.

Source: Chronopoulou et al. 2019, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from siatl_keras.arguments import check_choice, check_share, check_whole
from siatl_keras.callbacks import (
    BackupAndRestore,
    BestWeights,
    GammaDecay,
    GroupLearningRates,
    SequentialUnfreezing,
    TrainingCurves,
    WeightAveraging,
)
from siatl_keras.callbacks.phases import (
    Phase,
    check_named,
    check_phases,
    first_epochs,
)
from siatl_keras.optimizers import SCHEDULES, GroupedOptimizer
from siatl_keras.optimizers.groups import PAPER_GROUPS, Group, groups_of
from siatl_keras.plans.rate import Rate


@dataclass(frozen=True)
class Gamma:
    """γ, the weight of the LM loss.

    Attributes:
        initial: float, γ of the first epoch, or the highest of the schedule.
        final: float, γ of epoch number `epochs`, for "geometric".
        epochs: int, length of the schedule.
        schedule: a key of `siatl_keras.optimizers.SCHEDULES`; the paper's is
            "geometric".
    """

    initial: float = 0.2
    final: float = 0.1
    epochs: int = 15
    schedule: str = "geometric"

    def __post_init__(self) -> None:
        check_choice(SCHEDULES, schedule=self.schedule)
        self.callback()  # Which checks the others.

    def callback(self) -> GammaDecay:
        """Makes the callback that assigns γ before each epoch."""
        if self.schedule == "geometric":
            return GammaDecay(self.initial, self.final, self.epochs)
        kind = SCHEDULES[self.schedule]
        schedule = kind.rate(self.initial, self.epochs, self.final)
        if isinstance(schedule, float):
            return GammaDecay(schedule, schedule)
        return GammaDecay(schedule=schedule)


@dataclass(frozen=True)
class LanguageModelTraining:
    """How a language model is first trained on the task's texts.

    Attributes:
        epochs: int.
        rate: of all its layers, the LM head the top one.
    """

    epochs: int
    rate: Rate

    def __post_init__(self) -> None:
        check_whole(1, epochs=self.epochs)


@dataclass(frozen=True)
class Plan:
    """What learns when, how fast, and on which losses.

    A plan knows no model: `optimizer` takes one. The functions of `siatl_keras.plans`
    return plans; `dataclasses.replace` changes one.

    Attributes:
        phases: which groups learn from which epoch on, see `Phase`.
        rates: dict of groups, a tuple of names, to the `Rate` of the one optimizer that
            they share, which clips the norm over all of them. Every group has one.
        groups: what learns together, the top one first, see `Group`.
        gamma: weight of the LM loss; `None` for the task loss alone.
        epochs: int, most epochs.
        patience: int, epochs without a better `monitor` of the validation before
            training stops; `None` for training through.
        monitor: what the best epoch is told by: "task_loss", or a measure of the
            task's such as "accuracy".
        depth: float, share of the language model's blocks that are used, the lower
            ones.
        average_momentum: float, see `WeightAveraging`; `None` for no averaging.
        lora_rank: int, rank of adapters that learn in place of a transformer's weights
            (Hu et al. 2021), see `prepare`; `None` for the weights.
        pretrained: bool, whether the language model's weights are used.
        language_model: how the language model is first trained on the task's texts;
            `None` if it is not.
        head: arguments of `SiATLClassifier` for the task layers that the method fixes.

    Raises:
        ValueError: if the phases are out of order or name no groups of the plan's, or
            a group has no rate.

    Example:
    >>> import siatl_keras
    >>> plan = siatl_keras.plans.siatl()
    >>> [(phase.from_epoch, phase.learns[-1]) for phase in plan.phases]
    [(1, 'task'), (2, 'backbone'), (5, 'embedding')]
    """

    phases: tuple[Phase, ...]
    rates: Mapping[tuple[str, ...], Rate]
    groups: tuple[Group, ...] = PAPER_GROUPS
    gamma: Gamma | None = None
    epochs: int = 30
    patience: int | None = 6
    monitor: str = "task_loss"
    depth: float = 1.0
    average_momentum: float | None = None
    lora_rank: int | None = None
    pretrained: bool = True
    language_model: LanguageModelTraining | None = None
    head: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_named(check_phases(self.phases), self.groups)
        check_whole(1, epochs=self.epochs)
        if self.patience is not None:
            check_whole(0, patience=self.patience)
        if type(self.depth) not in (int, float) or not 0 < self.depth <= 1:
            raise ValueError(
                "`depth` must be above 0 and at most 1, a share of the language "
                f"model's blocks. Received: depth={self.depth}."
            )
        if self.average_momentum is not None:
            check_share(average_momentum=self.average_momentum)
        if self.lora_rank is not None:
            check_whole(1, lora_rank=self.lora_rank)
        names = [group.name for group in self.groups]
        rated = [name for groups in self.rates for name in groups]
        if sorted(rated) != sorted(names):
            raise ValueError(
                f"`rates` must have one `Rate` for each of the groups {names}, also of "
                "those that no phase names. Received rates of: "
                f"{sorted(rated)}."
            )

    def prepare(self, model: Any) -> None:
        """Gives a model what the plan adds to it; goes before `optimizer`.

        Args:
            model: has a `backbone`, to which adapters of `lora_rank` are added.

        Raises:
            ValueError: if the plan has a `lora_rank`, and the backbone no attention.
        """
        if self.lora_rank is None:
            return
        model.backbone.enable_lora(self.lora_rank)
        if not model.backbone.trainable_variables:
            raise ValueError(
                "`lora_rank` needs a language model with attention, whose queries and "
                f"values it adapts. Received: {type(model.backbone).__name__}."
            )

    def optimizer(self, model: Any, steps_per_epoch: int) -> keras.optimizers.Optimizer:
        """Makes the optimizer of a model, each schedule as long as its part learns.

        Args:
            model: a `SiATLClassifier`.
            steps_per_epoch: int.

        Returns:
            a `GroupedOptimizer`, or the only optimizer if all groups share one and
            hold the whole model.
        """
        found = groups_of(model, self.groups)
        first = {
            name: list(zip((part.name for part in parts), epochs, strict=True))
            for (name, parts), epochs in zip(
                found.layers.items(),
                first_epochs(self.phases, found.layers).values(),
                strict=True,
            )
        }
        optimizers: dict[str, keras.optimizers.Optimizer] = {}
        for groups, rate in self.rates.items():
            # One part for all of the groups, or one for each layer, the top one first.
            parts = list(found.variables_by_layer) if rate.divisor > 1 else [""]
            parts = [part for part in parts if not part or _group(part) in groups]
            for depth, part in enumerate(parts):
                epochs = [
                    epoch
                    for name in groups
                    for layer, epoch in first[name]
                    if part in ("", name, f"{name}/{layer}")
                ]
                steps = self._epochs_from(epochs) * steps_per_epoch
                made = rate.make(model.default_optimizer, steps, depth)
                optimizers |= dict.fromkeys([part] if part else groups, made)
        kinds = {id(optimizer) for optimizer in optimizers.values()}
        if len(kinds) == 1 and not found.others:
            return next(iter(optimizers.values()))
        return GroupedOptimizer(optimizers, self.groups)

    def callbacks(
        self,
        tensorboard: str | Path | None = None,
        backup: str | Path | BackupAndRestore | None = None,
    ) -> list[keras.callbacks.Callback]:
        """Makes the callbacks, in the order in which they must be called.

        Args:
            tensorboard: folder for TensorBoard's logs, if any.
            backup: folder for backups that a stopped run resumes from, if any, or the
                callback itself.

        Returns:
            list for `fit(callbacks=)`. What reads the logs comes last.
        """
        callbacks: list[keras.callbacks.Callback] = []
        if self.gamma is not None:
            callbacks.append(self.gamma.callback())
        callbacks += [
            SequentialUnfreezing(self.phases, self.groups),
            GroupLearningRates(self.groups),
        ]
        if self.average_momentum is not None:
            callbacks.append(WeightAveraging(self.average_momentum))
        if self.patience is not None:
            # `MonitorDirections` tells it which way is better.
            callbacks.append(BestWeights(f"val_{self.monitor}", self.patience))
        if tensorboard is not None:
            callbacks.append(TrainingCurves(tensorboard))
        if backup is not None:
            if not isinstance(backup, BackupAndRestore):
                backup = BackupAndRestore(backup)
            callbacks.append(backup)
        return callbacks

    def _epochs_from(self, epochs: list[int | None]) -> int:
        """Counts the epochs from the first of these on; all if there is none."""
        begins = min((epoch for epoch in epochs if epoch is not None), default=1)
        return max(1, self.epochs - begins + 1)


def _group(part: str) -> str:
    return part.partition("/")[0]
