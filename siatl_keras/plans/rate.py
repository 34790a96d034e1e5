"""`Rate`: how fast a group of layers learns, and with which optimizer."""

from __future__ import annotations

from dataclasses import dataclass

from siatl_keras.arguments import check_choice, check_positive, check_share
from siatl_keras.optimizers import (
    PRETRAINED_OPTIMIZERS,
    PRETRAINED_RATES,
    SCHEDULES,
    FusedAdam,
    FusedSGD,
)


@dataclass(frozen=True)
class Rate:
    """An optimizer, its learning rate and its clipping.

    Attributes:
        optimizer: "adam", "sgd", or `None` for the one that suits pretrained layers of
            the model's kind: SGD, the paper's, on an LSTM, Adam on others.
        learning_rate: float, the highest of the schedule; `None` for the one of
            `siatl_keras.optimizers.PRETRAINED_RATES`.
        schedule: a key of `siatl_keras.optimizers.SCHEDULES`. It is as long as the
            group learns, and brings SGD momentum if it has any.
        clipnorm: float, norm that the gradient is clipped to.
        divisor: float. Above 1, each layer has an optimizer of its own, with the rate
            of the layer above divided by this (Howard & Ruder 2018, section 3.2).
        beta_1: float, Adam's, for schedules without a momentum of their own.
        beta_2: float, Adam's.

    Raises:
        ValueError: if an attribute is out of range.
    """

    optimizer: str | None = None
    learning_rate: float | None = None
    schedule: str = "constant"
    clipnorm: float = 1.0
    divisor: float = 1.0
    beta_1: float = 0.9
    beta_2: float = 0.999

    def __post_init__(self) -> None:
        if self.optimizer is not None:
            check_choice(PRETRAINED_OPTIMIZERS, optimizer=self.optimizer)
        check_choice(SCHEDULES, schedule=self.schedule)
        if self.learning_rate is not None:
            check_positive(learning_rate=self.learning_rate)
        check_positive(clipnorm=self.clipnorm, divisor=self.divisor)
        check_share(beta_1=self.beta_1, beta_2=self.beta_2)

    def make(self, default: str, steps: int, depth: int = 0) -> FusedAdam | FusedSGD:
        """Makes the optimizer.

        Args:
            default: "adam" or "sgd", the optimizer where the rate names none.
            steps: int, steps that it is going to make, for the schedule.
            depth: int, layers above the one that it is for, see `divisor`.
        """
        name = self.optimizer or default
        rate = self.learning_rate
        if rate is None:
            rate = PRETRAINED_RATES[name]
        betas = {"beta_1": self.beta_1, "beta_2": self.beta_2} if name == "adam" else {}
        return PRETRAINED_OPTIMIZERS[name](
            self.schedule,
            rate / self.divisor**depth,
            steps,
            global_clipnorm=self.clipnorm,
            **betas,
        )
