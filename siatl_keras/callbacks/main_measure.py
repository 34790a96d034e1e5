"""`main_measure`: of the figures that are logged, the one that a run is judged by."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import keras

NO_MEASURE = re.compile("loss$|perplexity$|^gamma$|^stage$|^learning_rate")


def main_measure(model: keras.Model, names: Iterable[str]) -> str | None:
    """Names the task's main measure; of a model without a task, the first metric.

    Args:
        model: the model in training.
        names: of what is logged, with or without `val_` before them.

    Returns:
        name without `val_`; `None` if no measure is among them.
    """
    logged: dict[str, Any] = dict.fromkeys(name.removeprefix("val_") for name in names)
    of_task = getattr(getattr(model, "task", None), "measured", ())
    for name in (*of_task, *logged):
        if name in logged and not NO_MEASURE.search(name):
            return name
    return None
