"""`layers_learning`: which layers learn in an epoch of sequential unfreezing.

Source: Chronopoulou et al. 2019, section 3: new layers from the start, the pretrained
LM from epoch n, its embeddings from epoch k.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def stage_of(
    epoch: int, backbone_epoch: int | None, embedding_epoch: int | None
) -> int:
    """Tells the stage of an epoch.

    Args:
        epoch: int, counted from 1.
        backbone_epoch: the paper's n, or `None` for never.
        embedding_epoch: the paper's k, or `None` for never.

    Returns:
        1 (the task layers learn), 2 (the backbone too) or 3 (the embedding too).
    """
    starts = (backbone_epoch, embedding_epoch)
    return 1 + sum(start is not None and epoch >= start for start in starts)


def layers_learning(
    layer_groups: Mapping[str, Sequence[Any]],
    epoch: int,
    backbone_epoch: int | None,
    embedding_epoch: int | None,
    layers_per_epoch: int | None = None,
) -> dict[str, list[Any]]:
    """Lists the layers that learn in an epoch, by group.

    Args:
        layer_groups: layers of "task", "backbone" and "embedding"; those of the
            backbone from the bottom up.
        epoch: int, counted from 1.
        backbone_epoch: the paper's n, or `None` for never.
        embedding_epoch: the paper's k, or `None` for never.
        layers_per_epoch: how many more of the backbone's layers learn in each epoch,
            from the top, beginning with `backbone_epoch`; `None` for all at once.
            From `embedding_epoch` on, all learn.

    Returns:
        dict with the groups of `layer_groups`; the list of a frozen group is empty.
    """
    stage = stage_of(epoch, backbone_epoch, embedding_epoch)
    backbone = list(layer_groups["backbone"])
    if stage == 1 or backbone_epoch is None:
        backbone = []
    elif stage == 2 and layers_per_epoch is not None:
        count = (epoch - backbone_epoch + 1) * layers_per_epoch
        backbone = backbone[max(len(backbone) - count, 0) :]
    return {
        "task": list(layer_groups["task"]),
        "backbone": backbone,
        "embedding": list(layer_groups["embedding"]) if stage == 3 else [],
    }
