"""`stratified_order`: a shuffle of which every beginning has the classes in proportion.

For curves over the number of training texts: the first 100 texts are part of the first
200, and none of them lacks a class.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def stratified_order(labels: Sequence[str], seed: int) -> list[int]:
    """Orders examples so that the first n are a sample stratified by class, for all n.

    Args:
        labels: the examples' labels.
        seed: int, of the shuffle.

    Returns:
        the examples' positions in `labels`. The first ones are of different classes.

    Example:
    >>> labels = ["spam"] * 2 + ["ham"] * 4
    >>> sorted(labels[i] for i in stratified_order(labels, seed=0)[:3])
    ['ham', 'ham', 'spam']
    """
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    totals: dict[str, int] = {}
    for label in labels:
        totals[label] = totals.get(label, 0) + 1
    seen = dict.fromkeys(totals, 0)
    share_seen = np.empty(len(labels))
    for place, index in enumerate(shuffled):
        label = labels[index]
        share_seen[place] = seen[label] / totals[label]
        seen[label] += 1
    # Stable: what is equally far on in its class stays in the order of the shuffle.
    return shuffled[np.argsort(share_seen, kind="stable")].tolist()
