"""`Phase`: from which epoch which groups of layers learn.

Source: Chronopoulou et al. 2019, section 3: new layers from the start, the pretrained
LM from epoch n, its embeddings from epoch k. Howard & Ruder 2018 (ULMFiT), section 3.3:
one more layer per epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from siatl_keras.arguments import check_whole
from siatl_keras.optimizers.groups import Group


@dataclass(frozen=True)
class Phase:
    """A stretch of training in which the same groups of layers learn.

    It lasts until the next phase begins; all other groups are frozen.

    Attributes:
        from_epoch: int, first epoch of the phase, counted from 1.
        learns: names of the groups that learn, such as `("task", "backbone")`.
        layers_per_epoch: int, how many more layers of the groups that are new in this
            phase learn in each of its epochs, from the top; `None` for all at once.
        optimizer: optimizer, or its name, that the model is recompiled with when the
            phase begins; its state starts empty. `None` keeps the optimizer.

    Raises:
        ValueError: if an attribute is out of range.
    """

    from_epoch: int
    learns: tuple[str, ...]
    layers_per_epoch: int | None = None
    optimizer: Any = None

    def __post_init__(self) -> None:
        check_whole(1, from_epoch=self.from_epoch)
        if isinstance(self.learns, str) or not all(
            isinstance(name, str) for name in self.learns
        ):
            raise ValueError(
                '`learns` must be a tuple of names of groups, such as ("task",). '
                f"Received: learns={self.learns!r}."
            )
        if self.layers_per_epoch is not None:
            check_whole(1, layers_per_epoch=self.layers_per_epoch)
        if self.optimizer is not None:
            _check_optimizer(optimizer=self.optimizer)


def stages(
    backbone_epoch: int | None = 2,
    embedding_epoch: int | None = 5,
    layers_per_epoch: int | None = None,
    optimizers: Mapping[int, Any] | None = None,
) -> tuple[Phase, ...]:
    """Makes the paper's three phases, called stages.

    Args:
        backbone_epoch: int, the paper's n: epoch, counted from 1, from which the
            backbone learns (stage 2); `None` for never.
        embedding_epoch: int, the paper's k: epoch from which the embedding learns too
            (stage 3); `None` for never.
        layers_per_epoch: int, how many more of the backbone's layers learn in each
            epoch of stage 2, from the top; `None` for all at once.
        optimizers: dict of stage (2 or 3) to the optimizer, or its name, that the
            model is recompiled with when the stage begins.

    Returns:
        the phases, at most three.

    Raises:
        ValueError: if an argument is out of range, or the stages are out of order.

    Example:
    >>> [phase.from_epoch for phase in stages(2, 5)]
    [1, 2, 5]
    """
    _check_epochs(backbone_epoch, embedding_epoch)
    if optimizers is not None and not isinstance(optimizers, Mapping):
        raise ValueError(
            "`optimizers` must be a dict of stage to optimizer. Received: "
            f"optimizers={optimizers!r}."
        )
    optimizers = optimizers or {}
    if set(optimizers) - {2, 3}:
        raise ValueError(
            "`optimizers` names optimizers for the stages 2 and 3; stage 1 has the one "
            f"of `compile`. Received: stages {list(optimizers)}."
        )
    for stage, optimizer in optimizers.items():
        _check_optimizer(**{f"optimizers[{stage}]": optimizer})
    if layers_per_epoch is not None:
        check_whole(1, layers_per_epoch=layers_per_epoch)
    phases = [Phase(1, ("task",))]
    if backbone_epoch is not None:
        second = Phase(
            backbone_epoch, ("task", "backbone"), layers_per_epoch, optimizers.get(2)
        )
        phases.append(second)
    if embedding_epoch is not None:
        everything = ("task", "backbone", "embedding")
        phases.append(Phase(embedding_epoch, everything, optimizer=optimizers.get(3)))
    return tuple(phases)


def check_phases(phases: Sequence[Phase]) -> tuple[Phase, ...]:
    """Returns phases as a tuple.

    Args:
        phases: in the order of their epochs.

    Raises:
        ValueError: if they are no phases, out of order, or do not begin with epoch 1.
    """
    if not isinstance(phases, Sequence) or not all(
        isinstance(phase, Phase) for phase in phases
    ):
        raise ValueError(
            "`phases` must be a list of `Phase`, such as `stages(2, 5)`. Received: "
            f"phases={phases!r}."
        )
    epochs = [phase.from_epoch for phase in phases]
    if not epochs or epochs[0] != 1 or epochs != sorted(epochs):
        raise ValueError(
            "`phases` must begin with epoch 1 and follow each other. Received phases "
            f"that begin with epochs {epochs}."
        )
    if phases[0].optimizer is not None:
        raise ValueError(
            "The first phase has the optimizer of `compile`. Received: a first phase "
            f"with optimizer={phases[0].optimizer!r}."
        )
    return tuple(phases)


def check_named(phases: Sequence[Phase], groups: Sequence[Group]) -> None:
    """Checks that all groups that phases name are there.

    Args:
        phases: what learns when.
        groups: which there are.

    Raises:
        ValueError: if a phase names another, or two groups have the same name.
    """
    names = [group.name for group in groups]
    unknown = {name for phase in phases for name in phase.learns} - set(names)
    if unknown or len(names) != len(set(names)):
        raise ValueError(
            "`phases` must name the groups of `groups`, each of a name of its own: "
            f"{names}. Received phases of: {sorted(unknown)}."
        )


def phase_number(phases: Sequence[Phase], epoch: int) -> int:
    """Tells which phase an epoch is in.

    Args:
        phases: in the order of their epochs.
        epoch: int, counted from 1.

    Returns:
        int, counted from 1. Of phases that begin with the same epoch, the last.
    """
    return sum(phase.from_epoch <= epoch for phase in phases)


def layers_learning(
    phases: Sequence[Phase], layer_groups: Mapping[str, Sequence[Any]], epoch: int
) -> dict[str, list[Any]]:
    """Lists the layers that learn in an epoch, by group.

    Args:
        phases: in the order of their epochs.
        layer_groups: layers by group, the top group first, and in each the bottom
            layer first.
        epoch: int, counted from 1.

    Returns:
        dict with the groups of `layer_groups`; the list of a frozen group is empty.
    """
    number = phase_number(phases, epoch)
    phase = phases[number - 1]
    before = phases[number - 2].learns if number > 1 else ()
    learning: dict[str, list[Any]] = {
        name: list(layers) if name in phase.learns else []
        for name, layers in layer_groups.items()
    }
    if phase.layers_per_epoch is None:
        return learning
    count = (epoch - phase.from_epoch + 1) * phase.layers_per_epoch
    for name in learning:
        if name not in before and learning[name]:
            frozen = max(len(learning[name]) - count, 0)
            count = max(count - len(learning[name]), 0)
            learning[name] = learning[name][frozen:]
    return learning


def first_epochs(
    phases: Sequence[Phase], layer_groups: Mapping[str, Sequence[Any]]
) -> dict[str, list[int | None]]:
    """Tells when each layer begins to learn.

    Args:
        phases: in the order of their epochs.
        layer_groups: see `layers_learning`.

    Returns:
        dict of group to the epochs, counted from 1, of its layers in their order;
        `None` for layers that never learn.
    """
    layers = sum(len(group) for group in layer_groups.values())
    places = {name: list(range(len(group))) for name, group in layer_groups.items()}
    first: dict[str, list[int | None]] = {
        name: [None] * len(group) for name, group in layer_groups.items()
    }
    last = phases[-1].from_epoch + layers
    for epoch in range(1, last + 1):
        for name, learning in layers_learning(phases, places, epoch).items():
            for place in learning:
                if first[name][place] is None:
                    first[name][place] = epoch
    return first


def _check_optimizer(**arguments: Any) -> None:
    for name, optimizer in arguments.items():
        try:
            keras.optimizers.get(optimizer)
        except ValueError as error:
            raise ValueError(
                f"`{name}` must be a Keras optimizer or its name. Received: "
                f"{name}={optimizer!r}."
            ) from error


def _check_epochs(backbone_epoch: int | None, embedding_epoch: int | None) -> None:
    for name, epoch in (
        ("backbone_epoch", backbone_epoch),
        ("embedding_epoch", embedding_epoch),
    ):
        if epoch is not None:
            check_whole(1, **{name: epoch})
    if embedding_epoch is not None and (
        backbone_epoch is None or backbone_epoch > embedding_epoch
    ):
        raise ValueError(
            "`backbone_epoch` must not come after `embedding_epoch`: layers thaw from "
            f"the top. Received: backbone_epoch={backbone_epoch}, "
            f"embedding_epoch={embedding_epoch}."
        )


# After the functions that it is made with.
PAPER_STAGES = stages()
