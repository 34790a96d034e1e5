"""The settings of a fine-tuning that `tune` searches over, as a table.

The ranges are wide around the authors' settings (Chronopoulou et al. 2019, section 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import keras_tuner

from siatl_keras.workflows.methods import METHODS


@dataclass(frozen=True)
class Setting:
    """A setting and its range.

    Attributes:
        low: lowest value.
        high: highest value.
        logarithmic: whether a factor, not a step, makes the difference.
        whole: whether it is an integer.
        needs: the attribute that a `Method` must have for it to matter.
        part: the argument of `finetune` that it is an entry of, if not one itself.
    """

    low: float
    high: float
    logarithmic: bool = False
    whole: bool = False
    needs: str | None = None
    part: str | None = None


# Two are relative, so that every point of the space makes sense: layers thaw from the
# top, and γ falls.
STAGE_2_EPOCHS, GAMMA_FALL = "stage_2_epochs", "gamma_fall"
PRETRAINED_RATE = "pretrained_learning_rate"
SETTINGS = {
    "backbone_epoch": Setting(1, 4, whole=True, needs="sequential_unfreezing"),
    STAGE_2_EPOCHS: Setting(0, 4, whole=True, needs="sequential_unfreezing"),
    "gamma_initial": Setting(0.02, 1.0, logarithmic=True, needs="auxiliary_loss"),
    GAMMA_FALL: Setting(0.1, 1.0, logarithmic=True, needs="auxiliary_loss"),
    "task_learning_rate": Setting(2e-4, 1e-2, logarithmic=True),
    PRETRAINED_RATE: Setting(1e-2, 3.0, logarithmic=True, needs="two_optimizers"),
    "hidden_dropout": Setting(0.0, 0.5, part="backbone"),
    "lstm_dropout": Setting(0.0, 0.6, part="task_layers"),
}
# Adam's steps are of one size for all weights, and far smaller.
ADAM_SETTINGS = {
    PRETRAINED_RATE: replace(SETTINGS[PRETRAINED_RATE], low=5e-6, high=5e-4)
}


def search_space(arguments: Mapping[str, Any]) -> keras_tuner.HyperParameters:
    """Makes KerasTuner's space, with the arguments given as its defaults.

    Args:
        arguments: those of `finetune`. A range is widened to hold what they have.

    Returns:
        the space of what matters to their method.
    """
    method = METHODS[arguments["method"]]
    adam = arguments["pretrained_optimizer"] == "adam"
    settings = SETTINGS | ADAM_SETTINGS if adam else SETTINGS
    space = keras_tuner.HyperParameters()
    for name, setting in settings.items():
        if setting.needs and not getattr(method, setting.needs):
            continue
        if setting.part and name not in (arguments.get(setting.part) or {}):
            continue  # A dropout that this backbone does not have.
        default = _default(name, setting, arguments)
        low, high = min(setting.low, default), max(setting.high, default)
        if setting.whole:
            space.Int(name, int(low), int(high), default=int(default))
        else:
            sampling = "log" if setting.logarithmic else "linear"
            space.Float(name, low, high, sampling=sampling, default=default)
    return space


def as_flags(point: Mapping[str, Any]) -> dict[str, float]:
    """Turns a point of the space into flags, with three digits each.

    Args:
        point: values by name in `SETTINGS`.
    """
    flags = dict(point)
    if STAGE_2_EPOCHS in flags:
        later = flags.pop(STAGE_2_EPOCHS)
        flags["embedding_epoch"] = flags["backbone_epoch"] + later
    if GAMMA_FALL in flags:
        flags["gamma_final"] = flags["gamma_initial"] * flags.pop(GAMMA_FALL)
    return {
        name: value if isinstance(value, int) else float(f"{value:.3g}")
        for name, value in flags.items()
    }


def with_flags(
    arguments: Mapping[str, Any], flags: Mapping[str, float]
) -> dict[str, Any]:
    """Puts flags into the arguments of `finetune`, each where it belongs.

    Args:
        arguments: the arguments; left as they are.
        flags: what `as_flags` returned.
    """
    result = dict(arguments)
    for name, value in flags.items():
        part = SETTINGS[name].part if name in SETTINGS else None
        if part:
            result[part] = {**(result.get(part) or {}), name: value}
        else:
            result[name] = value
    return result


def _default(name: str, setting: Setting, arguments: Mapping[str, Any]) -> float:
    if name == STAGE_2_EPOCHS:
        return arguments["embedding_epoch"] - arguments["backbone_epoch"]
    if name == GAMMA_FALL:
        return arguments["gamma_final"] / arguments["gamma_initial"]
    if setting.part:
        return arguments[setting.part][name]
    return arguments[name]
