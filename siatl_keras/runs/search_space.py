"""The space of settings that `tune` searches, derived from `FinetuneConfig`.

The ranges are wide around the authors' settings (Chronopoulou et al. 2019, section 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from siatl_keras.evaluation import LOSS
from siatl_keras.extras import needed
from siatl_keras.models import backbone_class, default_optimizer
from siatl_keras.optimizers import PRETRAINED_RATES
from siatl_keras.plans import Settings
from siatl_keras.runs.defaults import with_defaults
from siatl_keras.runs.finetune_config import LSTM_DROPOUTS, FinetuneConfig
from siatl_keras.setting import SearchRange
from siatl_keras.tasks import TASKS

# What is searched for, as measured on the validation texts in the best epoch.
OBJECTIVES = (LOSS, *dict.fromkeys(n for task in TASKS.values() for n in task.measured))
# Two are relative to a setting, so that every point of the space makes sense: layers
# thaw from the top, and γ falls.
STAGE_2_EPOCHS, GAMMA_FALL = "stage_2_epochs", "gamma_fall"
RELATIVE = {
    STAGE_2_EPOCHS: ("embedding_epoch", SearchRange(0, 4)),
    GAMMA_FALL: ("gamma_final", SearchRange(0.1, 1.0, logarithmic=True)),
}
# Adam's steps are of one size for all weights, and far smaller.
ADAM_RATES = SearchRange(5e-6, 5e-4, logarithmic=True)


def search_space(config: FinetuneConfig) -> Any:
    """Makes KerasTuner's space, with a run's settings as its defaults.

    Args:
        config: the run. A range is widened to hold what it has.

    Returns:
        the space of what matters to the run's method and language model.
    """
    config = _without_defaults_of_the_backbone(with_defaults(config))
    space = needed("keras_tuner").HyperParameters()
    for each in fields(config):
        range_ = each.metadata["search"]
        if each.name == "pretrained_learning_rate":
            range_ = ADAM_RATES if config.pretrained_optimizer == "adam" else range_
        default = getattr(config, each.name)
        if range_ and default is not None and _matters(config, each.name):
            _add(space, each.name, range_, default)
    for name, (field, range_) in RELATIVE.items():
        if _matters(config, field):
            _add(space, name, range_, _relative(config, name))
    return space


def as_settings(point: Mapping[str, float]) -> dict[str, Any]:
    """Turns a point of the space into fields of the config, with three digits each.

    Args:
        point: values by name.
    """
    settings = dict(point)
    if STAGE_2_EPOCHS in settings:
        later = settings.pop(STAGE_2_EPOCHS)
        settings["embedding_epoch"] = settings["backbone_epoch"] + later
    if GAMMA_FALL in settings:
        settings["gamma_final"] = settings["gamma_initial"] * settings.pop(GAMMA_FALL)
    return {
        name: value if isinstance(value, int) else float(f"{value:.3g}")
        for name, value in settings.items()
    }


def _without_defaults_of_the_backbone(config: FinetuneConfig) -> FinetuneConfig:
    """Fills in what is chosen by the backbone where it is not given."""
    backbone = backbone_class(config.lm)
    optimizer = config.pretrained_optimizer or default_optimizer(backbone)
    rate = config.pretrained_learning_rate or PRETRAINED_RATES[optimizer]
    dropouts: dict[str, Any] = {
        f"lm_{name}": config.backbone_arguments(backbone).get(name)
        for name in LSTM_DROPOUTS
    }
    return replace(
        config,
        pretrained_optimizer=optimizer,
        pretrained_learning_rate=rate,
        **dropouts,
    )


def _matters(config: FinetuneConfig, name: str) -> bool:
    """Tells whether the method's plan, if it is the plan's, depends on a setting."""
    if name not in {each.name for each in fields(Settings)}:
        return True
    # Room for a later backbone epoch: layers thaw from the top.
    one = replace(config, embedding_epoch=config.embedding_epoch + 1)
    changed: dict[str, Any] = {name: getattr(one, name) + 1}
    return replace(one, **changed).plan() != one.plan()


def _add(space: Any, name: str, range_: SearchRange, default: float) -> None:
    low, high = min(range_.low, default), max(range_.high, default)
    if isinstance(range_.low, int):
        space.Int(name, int(low), int(high), default=int(default))
    else:
        sampling = "log" if range_.logarithmic else "linear"
        space.Float(name, low, high, sampling=sampling, default=default)


def _relative(config: FinetuneConfig, name: str) -> float:
    if name == STAGE_2_EPOCHS:
        return config.embedding_epoch - config.backbone_epoch
    return config.gamma_final / config.gamma_initial
