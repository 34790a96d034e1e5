"""The methods that can be compared, as functions that return a `Plan`.

Source: Chronopoulou et al. 2019, table 2; Howard & Ruder 2018 for ULMFiT. Adding a
method is adding a function, and its name to `METHODS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from siatl_keras.callbacks.phases import Phase, stages
from siatl_keras.optimizers.groups import PAPER_GROUPS, Group
from siatl_keras.plans.plan import Gamma, LanguageModelTraining, Plan
from siatl_keras.plans.rate import Rate
from siatl_keras.plans.settings import DEFAULTS, Settings

Kind = TypeVar("Kind", bound=Settings)
# What the settings are that may be left out: the authors', for their sarcasm set.
PAPER: dict[str, Any] = {"epochs": 30, "patience": 6, "task_learning_rate": 5e-4}
LOWER_HALF: dict[str, Any] = {
    "epochs": 3,
    "patience": 3,
    "task_learning_rate": 2e-4,
    "pretrained_learning_rate": 1e-4,
    "schedule": "warmup_cosine",
}
# Howard & Ruder 2018: 50 units, dropout 0.4 on layers (section 4.1); 0.1 before the
# softmax is what their code has.
ULMFIT_HEAD = {
    "pooling": "concat",
    "num_layers": 0,
    "block_units": 50,
    "output_dropout": 0.4,
    "block_dropout": 0.1,
}


def siatl(settings: Settings = DEFAULTS) -> Plan:
    """Makes the paper's plan: the auxiliary LM loss and sequential unfreezing."""
    unfreezing = p_lm_su(settings)
    return replace(unfreezing, gamma=_gamma(settings))


def p_lm_aux(settings: Settings = DEFAULTS) -> Plan:
    """Makes SiATL's plan with all layers learning from the first epoch."""
    return replace(p_lm(settings), gamma=_gamma(settings))


def p_lm_su(settings: Settings = DEFAULTS) -> Plan:
    """Makes SiATL's plan without the LM loss."""
    optimizers = {2: settings.stage2_optimizer, 3: settings.stage3_optimizer}
    phases = stages(
        settings.backbone_epoch,
        settings.embedding_epoch if settings.backbone_layers is None else None,
        settings.layers_per_epoch,
        {stage: name for stage, name in optimizers.items() if name},
    )
    return replace(p_lm(settings), phases=phases)


def lower_half(settings: Settings = DEFAULTS) -> Plan:
    """Makes a plan for the lower half of a transformer, without the LM loss.

    In the middle of a language model states tell what a text is about, towards the top
    which word comes next (Skean et al. 2025, "Layer by layer"). The head begins with
    what it can know before the first step, see `Standardization`; then the blocks
    learn. Half of the model is half of the time, and no language model any more.
    """
    unfreezing = p_lm_su(filled(settings, LOWER_HALF))
    learning = ("task", "backbone")
    return replace(
        unfreezing,
        groups=tuple(group for group in unfreezing.groups if group.name in learning),
        rates={(groups[0],): rate for groups, rate in unfreezing.rates.items()},
        phases=unfreezing.phases[:2],
        monitor="accuracy",
        depth=0.5,
        head={"pooling": "mean", "num_layers": 0, "standardize": True},
    )


def p_lm(settings: Settings = DEFAULTS) -> Plan:
    """Makes the plan of plain transfer: the task loss, all layers from epoch 1."""
    settings = filled(settings, PAPER)
    assert settings.epochs is not None  # For the type checker.
    schedule = settings.schedule or "constant"
    pretrained = Rate(
        settings.pretrained_optimizer,
        settings.pretrained_learning_rate,
        schedule,
        settings.clipnorm,
    )
    new = Rate("adam", settings.task_learning_rate, schedule, settings.clipnorm)
    groups = _groups(settings)
    new_group, *pretrained_groups = (group.name for group in groups)
    return Plan(
        phases=stages(1, 1 if groups is PAPER_GROUPS else None),
        groups=groups,
        rates={(new_group,): new, tuple(pretrained_groups): pretrained},
        epochs=settings.epochs,
        patience=settings.patience,
        average_momentum=settings.average_momentum,
        lora_rank=settings.lora_rank,
    )


def scratch(settings: Settings = DEFAULTS) -> Plan:
    """Makes a plan without pretrained weights: one Adam for all."""
    return replace(last_token(settings), pretrained=False, head={})


def last_token(settings: Settings = DEFAULTS) -> Plan:
    """Makes the plan of KerasHub's and Hugging Face's classifiers on causal models.

    One Adam for all layers, and the last token's state for the text.
    """
    plain = p_lm(settings)
    return replace(
        plain,
        rates={_names(plain): plain.rates[("task",)]},
        head={"pooling": "last", "num_layers": 0},
    )


def ulmfit(settings: Settings = DEFAULTS) -> Plan:
    """Makes ULMFiT's plan (Howard & Ruder 2018, sections 3.2 and 3.3).

    The language model first learns the task's texts; then each layer has the rate of
    the layer above divided by 2.6, and one more layer learns in each epoch.
    """
    plain = p_lm(settings)
    rate = replace(
        plain.rates[("task",)],
        schedule=settings.schedule or "slanted_triangular",
        divisor=2.6,
        beta_1=0.7,
        beta_2=0.99,
    )
    everything = _names(plain)
    return replace(
        plain,
        phases=(Phase(1, ("task",)), Phase(settings.backbone_epoch, everything, 1)),
        rates={everything: rate},
        language_model=LanguageModelTraining(
            settings.lm_epochs, replace(rate, learning_rate=settings.lm_learning_rate)
        ),
        head=ULMFIT_HEAD,
    )


def filled(settings: Kind, defaults: Mapping[str, Any]) -> Kind:
    """Fills in what was left out.

    Args:
        settings: settings.
        defaults: by name.
    """
    given = {name for name in defaults if getattr(settings, name) is not None}
    return replace(
        settings, **{name: defaults[name] for name in defaults if name not in given}
    )


def _groups(settings: Settings) -> tuple[Group, ...]:
    if settings.backbone_layers is None:
        return PAPER_GROUPS
    task, backbone, _ = PAPER_GROUPS
    return task, replace(backbone, layers=settings.backbone_layers)


def _names(plan: Plan) -> tuple[str, ...]:
    return tuple(group.name for group in plan.groups)


def _gamma(settings: Settings) -> Gamma:
    return Gamma(
        settings.gamma_initial,
        settings.gamma_final,
        settings.gamma_epochs,
        settings.gamma_schedule,
    )


METHODS: dict[str, Callable[[Settings], Plan]] = {
    "siatl": siatl,
    "p-lm+aux": p_lm_aux,
    "p-lm+su": p_lm_su,
    "p-lm": p_lm,
    "scratch": scratch,
    "last-token": last_token,
    "ulmfit": ulmfit,
    "lower-half": lower_half,
}
# Of methods that have others than the paper's.
METHOD_DEFAULTS = {"lower-half": LOWER_HALF}
