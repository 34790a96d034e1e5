"""`class_weight_to_sample_weight`: weights of classes as weights of examples.

Keras refuses `class_weight` for models with more than one output.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from siatl_keras.arguments import check_at_least


def class_weight_to_sample_weight(
    labels: np.ndarray, class_weight: Mapping[int, float] | str
) -> np.ndarray:
    """Gives each example the weight of its class.

    Args:
        labels: int `[examples]`.
        class_weight: dict of class number to weight; or "balanced", which weights
            classes so that each counts the same in sum.

    Returns:
        float32 `[examples]`; the mean is 1 with "balanced".

    Raises:
        ValueError: if a class of `labels` has no weight, or the word is another.
    """
    labels = np.asarray(labels)
    classes, counts = np.unique(labels, return_counts=True)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(
                '`class_weight` must be a dict or "balanced". Received: '
                f"{class_weight!r}."
            )
        class_weight = dict(
            zip(
                classes.tolist(),
                (len(labels) / (len(classes) * counts)).tolist(),
                strict=True,
            )
        )
    if not isinstance(class_weight, Mapping):
        raise ValueError(
            f'`class_weight` must be a dict or "balanced". Received: {class_weight!r}.'
        )
    for label, weight in class_weight.items():
        check_at_least(0, **{f"class_weight[{label!r}]": weight})
    missing = [label for label in classes.tolist() if label not in class_weight]
    if missing:
        raise ValueError(
            f"`class_weight` lacks the classes {missing}. Received: "
            f"{dict(class_weight)}."
        )
    return np.array([class_weight[label] for label in labels.tolist()], "float32")
