"""`Settings`: what the functions of `siatl_keras.plans` make a plan of.

The defaults are the authors' settings for their sarcasm data, but for the rate of the
pretrained layers; those of ULMFiT's language model are Howard & Ruder's (2018).
"""

from __future__ import annotations

from dataclasses import dataclass

from siatl_keras.arguments import check_positive
from siatl_keras.optimizers import PRETRAINED_OPTIMIZERS, PRETRAINED_RATES, SCHEDULES
from siatl_keras.setting import SearchRange, check_settings, setting

_RATES = ", ".join(f"{rate} with {name}" for name, rate in PRETRAINED_RATES.items())


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a plan is made of; each method uses what it has a use for.

    The help text of each field says what it does; it is also that of the flag of the
    same name.

    Raises:
        ValueError: if a value is not one of its field's choices, or out of range.
    """

    epochs: int | None = setting(
        None,
        "Most epochs. 30 by default, 8 or more for many texts where no method is "
        "named; 3 with lower-half, 2 for many texts.",
        lower_bound=1,
    )
    patience: int | None = setting(
        None,
        "Epochs without a lower validation task loss (with lower-half: a higher "
        "accuracy) before training stops. 6 by default, 3 with lower-half.",
    )
    gamma_initial: float = setting(
        0.2,
        "γ, the weight of the LM loss, in epoch 1.",
        search=SearchRange(0.02, 1.0, logarithmic=True),
    )
    gamma_final: float = setting(0.1, "γ from epoch --gamma_epochs on.")
    gamma_epochs: int = setting(15, "Epochs over which γ decays.", lower_bound=1)
    gamma_schedule: str = setting(
        "geometric",
        "Of γ, which is then at most --gamma_initial.",
        choices=tuple(SCHEDULES),
    )
    backbone_epoch: int = setting(
        2,
        "Epoch from which the language model's layers learn (the paper's n).",
        lower_bound=1,
        search=SearchRange(1, 4),
    )
    embedding_epoch: int = setting(
        5, "Epoch from which the embeddings learn (the paper's k).", lower_bound=1
    )
    layers_per_epoch: int | None = setting(
        None,
        "Layers of the language model that begin to learn per epoch, from the top; all "
        "at once if unset.",
        lower_bound=1,
    )
    backbone_layers: int | None = setting(
        None,
        "Layers of the language model that learn, from the top; the others stay as "
        "they are, and are read once. All of them if unset.",
        lower_bound=1,
    )
    stage2_optimizer: str | None = setting(
        None, "Optimizer that the model is recompiled with when stage 2 begins."
    )
    stage3_optimizer: str | None = setting(
        None, "Optimizer that the model is recompiled with when stage 3 begins."
    )
    task_learning_rate: float | None = setting(
        None,
        "Adam's learning rate for the new layers, and for all layers of scratch, "
        "last-token and ulmfit. 5e-4 by default, 2e-4 with lower-half.",
        search=SearchRange(2e-4, 1e-2, logarithmic=True),
    )
    pretrained_learning_rate: float | None = setting(
        None,
        f"Learning rate of the pretrained layers. {_RATES} by default, 1e-4 with "
        "lower-half.",
        search=SearchRange(1e-2, 3.0, logarithmic=True),
    )
    pretrained_optimizer: str | None = setting(
        None,
        "Optimizer of the pretrained layers. By default sgd, the paper's, on an LSTM, "
        "adam on others.",
        choices=tuple(PRETRAINED_OPTIMIZERS),
    )
    clipnorm: float = setting(
        1.0, "Norm that the gradient of each optimizer is clipped to."
    )
    schedule: str | None = setting(
        None,
        "Of the learning rates, which are then the highest. one_cycle gives SGD "
        "momentum too: a tenth of --pretrained_learning_rate goes as far. By default "
        "slanted_triangular for ulmfit, warmup_cosine for lower-half, constant for the "
        "others.",
        choices=tuple(SCHEDULES),
    )
    lora_rank: int | None = setting(
        None,
        "Adapters of this rank learn in place of a transformer's weights.",
        lower_bound=1,
    )
    average_momentum: float | None = setting(
        None,
        "Keep the mean of the weights over the last steps, at most 1 / (1 - this) of "
        "them.",
        lower_bound=0.0,
    )
    lm_epochs: int = setting(
        15,
        "ulmfit: epochs of training the language model on the task's texts first.",
        lower_bound=1,
    )
    lm_learning_rate: float = setting(
        4e-3, "ulmfit: highest learning rate in these epochs."
    )

    def __post_init__(self) -> None:
        check_settings(self)
        # Those that a method has no use for too: a wrong value is a mistake.
        check_positive(
            gamma_initial=self.gamma_initial,
            gamma_final=self.gamma_final,
            lm_learning_rate=self.lm_learning_rate,
            clipnorm=self.clipnorm,
        )
        if self.task_learning_rate is not None:
            check_positive(task_learning_rate=self.task_learning_rate)


DEFAULTS = Settings()
