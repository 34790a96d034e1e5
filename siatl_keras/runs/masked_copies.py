"""`masked_copies`: texts again, with words left out.

Source: Tang et al. 2019, "Distilling task-specific knowledge from BERT into simple
neural networks", section 3.3, which masks words; here they are left out, which any
tokenizer can read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

COPIES = 4
# Share of the words that a copy lacks.
SHARE = 0.2


def masked_copies(texts: list[Any], seed: int) -> Iterator[Any]:
    """Yields copies of texts, or of pairs of texts, each with other words left out.

    Args:
        texts: list of str, or of tuples of two.
        seed: int.
    """
    random = np.random.default_rng(seed)
    for text in texts:
        for _ in range(COPIES):
            if isinstance(text, str):
                yield _masked(text, random)
            else:
                yield tuple(_masked(side, random) for side in text)


def _masked(text: str, random: np.random.Generator) -> str:
    """Leaves words out, one of them at least, but never all."""
    words = text.split()
    kept = random.random(len(words)) >= SHARE
    if len(words) > 1 and kept.all():
        kept[random.integers(len(words))] = False
    if words and not kept.any():
        kept[random.integers(len(words))] = True
    return " ".join(word for word, keep in zip(words, kept, strict=True) if keep)
