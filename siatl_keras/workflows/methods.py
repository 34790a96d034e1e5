"""The ways of fine-tuning that the paper compares, as a table.

Source: Chronopoulou et al. 2019, table 2. Adding a method is adding a row.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """What a method switches on.

    Attributes:
        pretrained: whether the language model's weights are used.
        auxiliary_loss: whether the LM loss is part of the loss.
        sequential_unfreezing: whether layers begin to learn stage by stage; all learn
            from the first epoch otherwise.
    """

    pretrained: bool
    auxiliary_loss: bool
    sequential_unfreezing: bool


METHODS = {
    "siatl": Method(True, True, True),
    "p-lm+aux": Method(True, True, False),
    "p-lm+su": Method(True, False, True),
    "p-lm": Method(True, False, False),
    "scratch": Method(False, False, False),
}
