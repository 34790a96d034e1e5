"""`paper_optimizer`: the optimizers of the paper, side by side.

Source: Chronopoulou et al. 2019, section 4; Adam's rate is the authors' for their
sarcasm set.
"""

from __future__ import annotations

from siatl_keras.arguments import check_choice, check_positive
from siatl_keras.optimizers.grouped_optimizer import GroupedOptimizer
from siatl_keras.optimizers.schedules import scheduled_adam, scheduled_sgd

PRETRAINED_OPTIMIZERS = {"sgd": scheduled_sgd, "adam": scheduled_adam}
# What did well on the paper's sarcasm set: SGD on the shipped language model, Adam on
# SmolLM2. At the paper's 1e-4 for SGD, its gradient clipped to a norm of 1, the shipped
# one stays as good as frozen (perplexity 184, 164 at 0.5; macro F1 0.699, 0.704).
PRETRAINED_RATES = {"sgd": 0.5, "adam": 5e-5}


def paper_optimizer(
    task_learning_rate: float = 5e-4,
    pretrained_learning_rate: float | None = None,
    clipnorm: float = 1.0,
    pretrained_optimizer: str = "sgd",
) -> GroupedOptimizer:
    """Makes Adam for the task layers and one SGD, or Adam, for the pretrained layers.

    Their rates are constant, as in the paper; a `siatl_keras.plans.Plan` has schedules.

    Args:
        task_learning_rate: float, Adam's.
        pretrained_learning_rate: float, of the other; that of `PRETRAINED_RATES` if not
            given (the paper's is 1e-4).
        clipnorm: float, norm that the gradient of each of the two is clipped to.
        pretrained_optimizer: "sgd", the paper's, or "adam", a second one: gradients of
            a transformer's weights differ too much in size for one rate. Its rate is
            thousands of times lower.

    Returns:
        `GroupedOptimizer` of the groups `task`, `backbone` and `embedding`.

    Raises:
        ValueError: if `pretrained_optimizer` is unknown, or a number out of range.
    """
    check_choice(PRETRAINED_OPTIMIZERS, pretrained_optimizer=pretrained_optimizer)
    if pretrained_learning_rate is None:
        pretrained_learning_rate = PRETRAINED_RATES[pretrained_optimizer]
    check_positive(
        task_learning_rate=task_learning_rate,
        pretrained_learning_rate=pretrained_learning_rate,
        clipnorm=clipnorm,
    )
    pretrained = PRETRAINED_OPTIMIZERS[pretrained_optimizer](
        "constant", pretrained_learning_rate, steps=1, global_clipnorm=clipnorm
    )
    task = scheduled_adam(
        "constant", task_learning_rate, steps=1, global_clipnorm=clipnorm
    )
    return GroupedOptimizer(
        {"task": task, "backbone": pretrained, "embedding": pretrained}
    )
