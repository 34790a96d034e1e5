"""`paper_optimizer`: the optimizers of the paper, side by side.

Source: Chronopoulou et al. 2019, section 4; the authors' rates for their sarcasm set.
"""

from __future__ import annotations

from siatl_keras.training.fused_optimizers import FusedAdam, FusedSGD
from siatl_keras.training.grouped_optimizer import GroupedOptimizer


def paper_optimizer(
    task_learning_rate: float = 5e-4,
    pretrained_learning_rate: float = 1e-4,
    clipnorm: float = 1.0,
) -> GroupedOptimizer:
    """Makes Adam for the task layers and one SGD for all that was pretrained.

    Args:
        task_learning_rate: float, Adam's.
        pretrained_learning_rate: float, SGD's.
        clipnorm: float, norm that the gradient of each of the two is clipped to.

    Returns:
        `GroupedOptimizer` of the groups `task`, `backbone` and `embedding`.
    """
    pretrained = FusedSGD(pretrained_learning_rate, global_clipnorm=clipnorm)
    return GroupedOptimizer(
        {
            "task": FusedAdam(task_learning_rate, global_clipnorm=clipnorm),
            "backbone": pretrained,
            "embedding": pretrained,
        }
    )
