"""`padding_share`: how much of a pipeline's batches is padding.

Padding costs what tokens cost, so this is what sorting by length is judged by.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def padding_share(batches: Iterable[Any]) -> float:
    """Counts padding in packed batches.

    Args:
        batches: a `tf.data.Dataset` (or list) of what `preprocessor.pack` returns: `x`,
            or a tuple that begins with it; `x` a dict with `padding_mask`
            `[batch, time]`, 1 at tokens and 0 at padding.

    Returns:
        float between 0 and 1, the share of steps that are padding.

    Raises:
        ValueError: if there are no batches.
    """
    steps = tokens = 0
    for batch in batches:
        x = batch[0] if isinstance(batch, tuple) else batch
        steps += int(x["padding_mask"].shape[0] * x["padding_mask"].shape[1])
        tokens += int(x["padding_mask"].numpy().sum())
    if not steps:
        raise ValueError("`batches` is empty. Pass a dataset with at least one batch.")
    return 1 - tokens / steps
