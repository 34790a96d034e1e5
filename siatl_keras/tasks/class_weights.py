"""`class_weights`: a weight for each class, from whatever form users give them in.

Keras refuses `class_weight` for models with more than one output.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from siatl_keras.inputs.column import Column
from siatl_keras.inputs.rows import quoted, rows_of
from siatl_keras.inputs.soft_labels import most_probable
from siatl_keras.tasks.label_names import LabelNames


def class_weights(
    class_weight: Any, classes: LabelNames, labels: np.ndarray | None
) -> np.ndarray:
    """Turns `class_weight` into a table.

    Args:
        class_weight: dict of class name or number to weight, in which classes may be
            missing (they weigh 1); a list or array of a weight for each class; or
            "balanced", which weighs classes so that each counts the same in sum.
        classes: names of the classes.
        labels: int `[texts]`, class numbers, or soft labels, which "balanced" counts;
            `None` where they are not known beforehand.

    Returns:
        float32 `[classes]`; with "balanced" the mean over the texts is 1, and a class
        without texts weighs 1.

    Raises:
        ValueError: if a key is no class, a weight is negative or not finite, there are
            not as many as classes, or `class_weight` is another word.

    Example:
    >>> classes = LabelNames(["no", "yes"])
    >>> class_weights({"yes": 3.0}, classes, None).tolist()
    [1.0, 3.0]
    """
    if isinstance(class_weight, str):
        return _balanced(class_weight, classes, labels)
    if isinstance(class_weight, Mapping):
        keys = list(class_weight)
        numbers = classes.encode(Column(keys, "class_weight"))
        if len(set(numbers.tolist())) < len(keys):
            raise ValueError(
                "`class_weight` names a class twice, by its name and its number. "
                f"Received: {class_weight}."
            )
        weights: list[Any] = [1.0] * len(classes)
        for number, weight in zip(numbers, class_weight.values(), strict=True):
            weights[number] = weight
    else:
        weights = rows_of(class_weight, "class_weight")
        if len(weights) != len(classes):
            raise ValueError(
                f"`class_weight` must have a weight for each of the {len(classes)} "
                f"classes {classes[:8]}. Received: {len(weights)} weights."
            )
    for name, weight in zip(classes, weights, strict=True):
        if not _is_weight(weight):
            raise ValueError(
                "`class_weight` must hold finite numbers that are not negative. "
                f"Received for class {name!r}: {quoted(weight)}."
            )
    return np.array(weights, "float32")


def _balanced(word: str, classes: LabelNames, labels: np.ndarray | None) -> np.ndarray:
    if word != "balanced":
        raise ValueError(
            "`class_weight` must be a dict, a list with a weight for each class, or "
            f'"balanced". Received: {word!r}.'
        )
    if labels is None:
        raise ValueError(
            '`class_weight="balanced"` needs the labels beforehand, which a dataset '
            "does not give. Pass a dict of class name to weight, or texts and labels."
        )
    from sklearn.utils.class_weight import compute_class_weight  # Slow to import.

    labels = most_probable(labels)
    present = np.unique(labels)
    weights = np.ones(len(classes), "float32")
    weights[present] = compute_class_weight(word, classes=present, y=labels)
    return weights


def _is_weight(value: Any) -> bool:
    try:
        return bool(np.isfinite(float(value))) and float(value) >= 0
    except (TypeError, ValueError):
        return False
