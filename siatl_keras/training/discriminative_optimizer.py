"""`discriminative_optimizer`: a lower learning rate for each layer further down.

Source: Howard & Ruder 2018 (ULMFiT), section 3.2, "discriminative fine-tuning"; Adam's
betas from its section 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from siatl_keras.arguments import check_positive, check_share
from siatl_keras.training.grouped_optimizer import GroupedOptimizer
from siatl_keras.training.schedules import scheduled_adam


def discriminative_optimizer(
    steps: Mapping[str, int],
    learning_rate: float,
    divisor: float = 2.6,
    schedule: str = "slanted_triangular",
    clipnorm: float = 1.0,
    beta_1: float = 0.7,
    beta_2: float = 0.99,
) -> GroupedOptimizer:
    """Makes an Adam for each layer, its rate that of the layer above over `divisor`.

    Args:
        steps: dict of group to the steps in which it learns, the top layer first.
        learning_rate: float, of the top layer; a schedule's highest.
        divisor: float.
        schedule: a key of `SCHEDULES`; each layer goes through its own, which begins
            when the layer begins to learn.
        clipnorm: float, norm that the gradient of each layer is clipped to.
        beta_1: float, for schedules without a momentum of their own.
        beta_2: float.

    Returns:
        `GroupedOptimizer` of the groups of `steps`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
    >>> optimizer = discriminative_optimizer(
    ...     {"task": 10, "embedding": 5}, 0.26, schedule="constant")
    >>> {name: round(float(one.learning_rate), 2)
    ...  for name, one in optimizer.groups.items()}
    {'task': 0.26, 'embedding': 0.1}
    """
    if not isinstance(steps, Mapping) or not steps:
        raise ValueError(
            "`steps` must be a dict of group to the steps in which it learns. "
            f"Received: steps={steps!r}."
        )
    check_positive(learning_rate=learning_rate, divisor=divisor, clipnorm=clipnorm)
    check_share(beta_1=beta_1, beta_2=beta_2)
    return GroupedOptimizer(
        {
            name: scheduled_adam(
                schedule,
                learning_rate / divisor**depth,
                own_steps,
                beta_1=beta_1,
                beta_2=beta_2,
                global_clipnorm=clipnorm,
            )
            for depth, (name, own_steps) in enumerate(steps.items())
        }
    )
