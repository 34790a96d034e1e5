"""`chosen_task`: the task that a model's arguments ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from siatl_keras.tasks.single_label import SingleLabel
from siatl_keras.tasks.task import Task


def chosen_task(task: Any, num_classes: int | None, label_names: Any) -> Task:
    """Returns a task that is given as one, serialized, or by its classes.

    Args:
        task: a `Task`, what `keras.saving.serialize_keras_object` made of one, or
            `None`.
        num_classes: see `SingleLabel.of_size`; `None` with a `task`.
        label_names: likewise.

    Raises:
        ValueError: if both are given or neither, or one is malformed.
    """
    if task is None:
        return SingleLabel.of_size(num_classes, label_names)
    if num_classes is not None or label_names is not None:
        raise ValueError(
            "`task` holds the names of its labels. Pass it alone, without "
            f"`num_classes` and `label_names`. Received: num_classes={num_classes!r}, "
            f"label_names={label_names!r:.60}."
        )
    if isinstance(task, Mapping):
        task = keras.saving.deserialize_keras_object(dict(task))
    if not isinstance(task, Task):
        raise ValueError(
            "`task` must be a `siatl_keras.tasks.Task`, such as "
            f'MultiLabel(["joy", "anger"]). Received: {task!r:.60}.'
        )
    return task
