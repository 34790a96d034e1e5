"""`start_head`: what a task head can know before the first step.

Kumar et al. 2022, "Fine-tuning can distort pretrained features": a head that already
fits the pretrained states keeps fine-tuning from spoiling them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf


def start_head(model: Any, dataset: tf.data.Dataset) -> None:
    """Measures a head's features on the training texts, and gives it a first answer.

    Nothing happens to a head that does not standardize, or that has begun already.

    Args:
        model: a `SiATLClassifier`, about to be trained.
        dataset: packed batches of the training texts.
    """
    head = model.task_head
    if head.standardization is None or head.standardization.is_adapted:
        return

    @tf.function(input_signature=[dataset.element_spec[0]])
    def pooled(x: dict[str, tf.Tensor]) -> tf.Tensor:
        states = model.states(x, training=False)
        return tf.cast(head.pool(states, x["padding_mask"])[0], "float32")

    batches = [(pooled(x).numpy(), y["task"].numpy()) for x, y, *_ in dataset]
    features, targets = map(np.concatenate, zip(*batches, strict=True))
    features = head.standardization.adapt(features)
    if head.is_linear:
        start = model.task.linear_start(features.astype("float64"), targets)
        if start is not None:
            head.classes.set_weights(list(start))
