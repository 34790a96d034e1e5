"""Losses of tasks and of language models."""

from siatl_keras.losses.label_crossentropy import LabelCrossentropy
from siatl_keras.losses.output_weights import OutputWeights
from siatl_keras.losses.sampled_cross_entropy import sampled_cross_entropy
from siatl_keras.losses.sliced_cross_entropy import sliced_cross_entropy
from siatl_keras.losses.task_loss import TaskLoss, task_loss

__all__ = [
    "LabelCrossentropy",
    "OutputWeights",
    "TaskLoss",
    "sampled_cross_entropy",
    "sliced_cross_entropy",
    "task_loss",
]
