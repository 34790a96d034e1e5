"""`announce`: what a run is about to do, said before it begins."""

from __future__ import annotations

import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.callbacks.phases import layers_learning
from siatl_keras.inputs import LabelledTexts
from siatl_keras.optimizers.groups import groups_of
from siatl_keras.plans import Plan


def announce(
    model: Any,
    lm: str,
    plan: Plan,
    texts: LabelledTexts,
    held_out: LabelledTexts | None,
    epochs: int,
) -> str:
    """Says what learns from how many texts, when, and where.

    Args:
        model: the classifier, compiled.
        lm: preset of its language model.
        plan: how it is taught.
        texts: those that it learns from.
        held_out: those of the validation, if any.
        epochs: int, most epochs.

    Returns:
        three lines.
    """
    weights = model.backbone.count_params()
    counts = f"{len(texts):,} texts to learn from"
    if held_out is not None:
        counts += f", {len(held_out):,} held out"
    names = model.label_names
    if names:
        shown = ", ".join(names[:6]) + ", …" * (len(names) > 6)
        counts += f"; {len(names)} labels: {shown}"
    return (
        f"{counts}\n"
        f"language model {os.path.basename(lm)}, {_millions(weights)} weights; on "
        f"{_device()} in {keras.config.dtype_policy().name}\n"
        f"{epochs} epochs{' at most' if plan.patience else ''}; learning: "
        f"{'; '.join(_stages(model, plan, epochs))}"
    )


def _stages(model: Any, plan: Plan, epochs: int) -> list[str]:
    """Says what begins to learn when, a part for each epoch in which something does."""
    layers = groups_of(model, plan.groups).layers
    known: set[int] = set()
    found = []
    for epoch in range(1, epochs + 1):
        new = []
        for name, parts in layers_learning(plan.phases, layers, epoch).items():
            weights = {id(w): w for part in parts for w in part.variables}
            size = sum(
                int(np.prod(w.shape)) for key, w in weights.items() if key not in known
            )
            if size:
                new.append(f"{name} ({_millions(size)})")
            known |= set(weights)
        if new:
            found.append(f"{' and '.join(new)} from epoch {epoch}")
    return [*found[:4], f"and so on to epoch {epochs}"] if len(found) > 5 else found


def _millions(number: int) -> str:
    """Writes a number of weights.

    >>> _millions(512), _millions(134_515_008)
    ('512', '134.5 M')
    """
    return f"{number / 1e6:.1f} M" if number >= 1e5 else f"{number:,}"


def _device() -> str:
    gpus = tf.config.list_logical_devices("GPU")
    if gpus:
        return "1 GPU" if len(gpus) == 1 else f"{len(gpus)} GPUs"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    cores = cores or os.cpu_count() or 1
    return f"{cores} CPU core{'s' * (cores > 1)}"
