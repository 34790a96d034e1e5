"""The methods that can be compared, as a table.

Source: Chronopoulou et al. 2019, table 2; Howard & Ruder 2018 for ULMFiT. Adding a
method is adding a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Method:
    """What a method switches on.

    Attributes:
        pretrained: whether the language model's weights are used.
        two_optimizers: whether what was pretrained has an optimizer of its own (the
            paper's SGD, or another), beside Adam for what is new; one Adam moves all
            otherwise.
        auxiliary_loss: whether the LM loss is part of the loss.
        sequential_unfreezing: whether layers begin to learn stage by stage; all learn
            from the first epoch otherwise.
        layer_by_layer: whether each layer is a stage, the embedding the last.
        adapts_language_model: whether the LM is first trained on the task's texts.
        rate_divisor: by which each layer's rate is lower than that of the layer above,
            all with Adam; `None` for the same rate.
        schedule: a key of `SCHEDULES`, where none is asked for.
        head: arguments of `SiATLClassifier` for the task layers that the method fixes.
        features: a key of `FEATURES`, for logistic regression on these in place of any
            fine-tuning.
    """

    pretrained: bool = True
    two_optimizers: bool = True
    auxiliary_loss: bool = False
    sequential_unfreezing: bool = False
    layer_by_layer: bool = False
    adapts_language_model: bool = False
    rate_divisor: float | None = None
    schedule: str = "constant"
    head: Mapping[str, Any] = field(default_factory=dict)
    features: str | None = None


# Howard & Ruder 2018: 50 units, dropout 0.4 on layers (section 4.1); 0.1 before the
# softmax is what their code has.
_ULMFIT_HEAD = {
    "pooling": "concat",
    "num_layers": 0,
    "block_units": 50,
    "output_dropout": 0.4,
    "block_dropout": 0.1,
}

METHODS = {
    "siatl": Method(auxiliary_loss=True, sequential_unfreezing=True),
    "p-lm+aux": Method(auxiliary_loss=True),
    "p-lm+su": Method(sequential_unfreezing=True),
    "p-lm": Method(),
    "scratch": Method(pretrained=False, two_optimizers=False),
    # What KerasHub's and Hugging Face's classifiers on causal models do by default.
    "last-token": Method(
        two_optimizers=False, head={"pooling": "last", "num_layers": 0}
    ),
    "ulmfit": Method(
        sequential_unfreezing=True,
        layer_by_layer=True,
        adapts_language_model=True,
        two_optimizers=False,
        rate_divisor=2.6,
        schedule="slanted_triangular",
        head=_ULMFIT_HEAD,
    ),
    "nbow": Method(features="embeddings"),
    "bow": Method(features="counts"),
}
