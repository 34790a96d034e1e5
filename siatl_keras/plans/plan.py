"""`Plan`: how a model is taught, as a value.

Source: Chronopoulou et al. 2019, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras

from siatl_keras.arguments import check_share, check_whole
from siatl_keras.callbacks import (
    BackupAndRestore,
    GammaDecay,
    GroupLearningRates,
    SequentialUnfreezing,
    WeightAveraging,
)
from siatl_keras.plans.rate import Rate
from siatl_keras.training import GroupedOptimizer
from siatl_keras.training.phases import Phase, check_phases, first_epochs


@dataclass(frozen=True)
class Gamma:
    """γ, the weight of the LM loss; attributes as for `GammaDecay`."""

    initial: float = 0.2
    final: float = 0.1
    epochs: int = 15

    def __post_init__(self) -> None:
        GammaDecay(self.initial, self.final, self.epochs)  # Which checks them.


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

    A plan knows no model: `optimizer` takes one, and the groups of the rates and phases
    are those of its `groups`. The functions of `siatl_keras.plans` return plans;
    `dataclasses.replace` changes one.

    Attributes:
        phases: what learns from which epoch on, see `Phase`.
        rates: dict of groups, a tuple of names, to the `Rate` of the one optimizer that
            they share, which clips the norm over all of them.
        gamma: weight of the LM loss; `None` for the task loss alone.
        epochs: int, most epochs.
        patience: int, epochs without a lower validation task loss before training
            stops; `None` for training through.
        average_momentum: float, see `WeightAveraging`; `None` for no averaging.
        pretrained: bool, whether the language model's weights are used.
        language_model: how the language model is first trained on the task's texts;
            `None` if it is not.
        head: arguments of `SiATLClassifier` for the task layers that the method fixes.

    Raises:
        ValueError: if the phases are out of order, or a group that learns has no rate.

    Example:
    >>> import siatl_keras
    >>> plan = siatl_keras.plans.siatl()
    >>> [(phase.from_epoch, phase.learns[-1]) for phase in plan.phases]
    [(1, 'task'), (2, 'backbone'), (5, 'embedding')]
    """

    phases: tuple[Phase, ...]
    rates: Mapping[tuple[str, ...], Rate]
    gamma: Gamma | None = None
    epochs: int = 30
    patience: int | None = 6
    average_momentum: float | None = None
    pretrained: bool = True
    language_model: LanguageModelTraining | None = None
    head: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_phases(self.phases)
        check_whole(1, epochs=self.epochs)
        if self.patience is not None:
            check_whole(0, patience=self.patience)
        if self.average_momentum is not None:
            check_share(average_momentum=self.average_momentum)
        learns = {name for phase in self.phases for name in phase.learns}
        rated = [name for groups in self.rates for name in groups]
        if learns - set(rated) or len(rated) != len(set(rated)):
            raise ValueError(
                "`rates` must have one `Rate` for each group that learns, "
                f"{sorted(learns)}. Received rates of: {sorted(rated)}."
            )

    def optimizer(self, model: Any, steps_per_epoch: int) -> keras.optimizers.Optimizer:
        """Makes the optimizer of a model, each schedule as long as its part learns.

        Args:
            model: a `SiATLClassifier`.
            steps_per_epoch: int.

        Returns:
            a `GroupedOptimizer`, or the only optimizer if all groups share one.

        Raises:
            ValueError: if the model has other groups than those of `rates`.
        """
        rated = {name for groups in self.rates for name in groups}
        if rated != set(model.groups.layers):
            raise ValueError(
                "`rates` must have one `Rate` for each of the model's groups "
                f"{sorted(model.groups.layers)}. Received rates of: {sorted(rated)}."
            )
        layers = {
            name: [layer for layer in group if layer.weights]
            for name, group in model.groups.layers.items()
        }
        first = {
            name: list(zip((layer.name for layer in layers[name]), epochs, strict=True))
            for name, epochs in first_epochs(self.phases, layers).items()
        }
        optimizers: dict[str, keras.optimizers.Optimizer] = {}
        for groups, rate in self.rates.items():
            # One part for all of the groups, or one for each layer, the top one first.
            parts = list(model.groups.variables_by_layer) if rate.divisor > 1 else [""]
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
        if len(kinds) == 1:
            return next(iter(optimizers.values()))
        return GroupedOptimizer(optimizers)

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
            gamma = self.gamma
            callbacks.append(GammaDecay(gamma.initial, gamma.final, gamma.epochs))
        callbacks += [SequentialUnfreezing(self.phases), GroupLearningRates()]
        if self.average_momentum is not None:
            callbacks.append(WeightAveraging(self.average_momentum))
        if self.patience is not None:
            early_stopping = keras.callbacks.EarlyStopping(
                "val_task_loss",
                patience=self.patience,
                mode="min",
                restore_best_weights=True,
            )
            callbacks.append(early_stopping)
        if tensorboard is not None:
            callbacks.append(keras.callbacks.TensorBoard(str(tensorboard)))
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
