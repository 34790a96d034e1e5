"""`class_answers`: what logits say: the class, its name and the probabilities.

The one way from logits to answers: `predict_labels`, `predict_proba`, what is served,
and the recipes agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf


@dataclass(frozen=True)
class ClassAnswers:
    """The answers of a batch.

    Attributes:
        label: string `[batch]`, names of the classes.
        label_id: int32 `[batch]`, their numbers.
        probabilities: float32 `[batch, classes]`.
    """

    label: tf.Tensor
    label_id: tf.Tensor
    probabilities: tf.Tensor


def class_answers(logits: Any, label_names: Sequence[str] | tf.Tensor) -> ClassAnswers:
    """Reads logits, also in the graph.

    The class is that of the highest logit, also where two probabilities round to the
    same number.

    Args:
        logits: float `[batch, classes]`.
        label_names: names of the classes.

    Example:
    >>> answers = class_answers([[0.0, 2.0]], ["negative", "positive"])
    >>> answers.label.numpy().tolist()
    [b'positive']
    """
    label_id = tf.argmax(logits, -1, output_type=tf.int32)
    return ClassAnswers(
        tf.gather(tf.convert_to_tensor(label_names), label_id),
        label_id,
        class_probabilities(logits),
    )


def class_probabilities(logits: Any, dtype: str = "float32") -> tf.Tensor:
    """Turns logits into probabilities.

    Args:
        logits: float `[batch, classes]`.
        dtype: "float64" where no two logits may become one probability.

    Returns:
        `[batch, classes]` of `dtype`, each row with sum 1.
    """
    return tf.nn.softmax(tf.cast(logits, dtype))
