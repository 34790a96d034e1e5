"""`Stages`: from which epoch each part of a model learns, and the optimizer for it."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from siatl_keras.models import SiATLClassifier
from siatl_keras.training import (
    discriminative_optimizer,
    paper_optimizer,
    scheduled_adam,
)
from siatl_keras.workflows.methods import Method


@dataclass(frozen=True)
class Stages:
    """Epochs, counted from 1, as `SequentialUnfreezing` takes them.

    Attributes:
        backbone_epoch: epoch from which the backbone learns.
        embedding_epoch: epoch from which the embedding learns.
        layers_per_epoch: how many more of the backbone's layers learn in each epoch;
            `None` for all at once.
    """

    backbone_epoch: int
    embedding_epoch: int
    layers_per_epoch: int | None


def stages_of(method: Method, model: SiATLClassifier, asked: Stages) -> Stages:
    """Works out the stages of a method.

    Args:
        method: a row of `METHODS`.
        model: the classifier.
        asked: the stages of a method with three; one that goes layer by layer takes
            the first of its epochs.
    """
    if not method.sequential_unfreezing:
        return Stages(1, 1, None)
    if method.layer_by_layer:
        layers = len(_backbone_layers(model))
        return Stages(asked.backbone_epoch, asked.backbone_epoch + layers, 1)
    return asked


def optimizer_of(
    method: Method,
    model: SiATLClassifier,
    stages: Stages,
    *,
    epochs: int,
    steps_per_epoch: int,
    schedule: str,
    task_learning_rate: float,
    pretrained_learning_rate: float | None,
    pretrained_optimizer: str,
    clipnorm: float,
) -> keras.optimizers.Optimizer:
    """Makes the optimizer of a method, each schedule as long as its part learns.

    Args:
        method: a row of `METHODS`.
        model: the classifier.
        stages: what `stages_of` returned.
        epochs: int, most epochs.
        steps_per_epoch: int.
        schedule: a key of `SCHEDULES`.
        task_learning_rate: float, of the new layers.
        pretrained_learning_rate: float, of what was pretrained, with two optimizers,
            see `paper_optimizer`; other methods go by `task_learning_rate` alone.
        pretrained_optimizer: see `paper_optimizer`.
        clipnorm: float, norm that each optimizer's gradient is clipped to.
    """

    def steps_from(epoch: int) -> int:
        return max(1, epochs - epoch + 1) * steps_per_epoch

    if method.two_optimizers:
        return paper_optimizer(
            task_learning_rate,
            pretrained_learning_rate,
            clipnorm,
            schedule,
            steps_from(1),
            steps_from(stages.backbone_epoch),
            pretrained_optimizer,
        )
    if method.rate_divisor is None:
        return scheduled_adam(
            schedule, task_learning_rate, steps_from(1), global_clipnorm=clipnorm
        )
    below = enumerate(_backbone_layers(model))
    steps = {
        "task": steps_from(1),
        **{name: steps_from(stages.backbone_epoch + depth) for depth, name in below},
        "embedding": steps_from(stages.embedding_epoch),
    }
    return discriminative_optimizer(
        steps, task_learning_rate, method.rate_divisor, schedule, clipnorm
    )


def _backbone_layers(model: SiATLClassifier) -> list[str]:
    """Names the groups of the backbone's layers, the top one first."""
    names = model.variable_groups_by_layer
    return [name for name in names if name not in ("task", "embedding")]
