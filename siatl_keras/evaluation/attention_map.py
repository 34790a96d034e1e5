"""`AttentionMap`: what one classifier said of a text, and what it looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True)
class AttentionMap:
    """One classifier's answer to one text.

    Attributes:
        model: name of the classifier.
        label: what it answers.
        probability: that of the answer; `None` where it has none.
        tokens: the text's tokens, start and end included.
        weights: their attention weights, which sum to 1.
    """

    model: str
    label: str
    probability: float | None
    tokens: Sequence[str]
    weights: Sequence[float]

    @property
    def shown_probability(self) -> str:
        """The probability with three digits, or ""."""
        return "" if self.probability is None else f"{self.probability:.3f}"

    @property
    def shares(self) -> list[float]:
        """The weights as shares of the largest, 0 to 1: how strongly to colour."""
        largest = max(self.weights)
        return [weight / largest for weight in self.weights]


def short_names(paths: Sequence[str]) -> list[str]:
    """Names models by what their paths do not have in common.

    Args:
        paths: the models' folders.

    Returns:
        a name each.

    Example:
    >>> short_names(["runs/siatl/seed-0/model", "runs/p-lm/seed-0/model"])
    ['siatl', 'p-lm']
    """
    parts = [PurePath(path).parts for path in paths]
    if len(set(parts)) < 2:
        return list(paths)
    shortest = min(map(len, parts))
    start = 0
    while start < shortest - 1 and len({part[start] for part in parts}) == 1:
        start += 1
    end = 0
    while end < shortest - 1 - start and len({part[-1 - end] for part in parts}) == 1:
        end += 1
    return ["/".join(part[start : len(part) - end]) for part in parts]
