"""`AttentionMap`: what one classifier said of a text, and what it looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

# Times the mean weight of a text's tokens at which a token is coloured fully.
HOTTEST = 4
AVERAGE, FULL = "the mean of the text's tokens, or less", f"{HOTTEST} times the mean"


@dataclass(frozen=True)
class AttentionMap:
    """One classifier's answer to one text.

    Attributes:
        model: name of the classifier.
        label: what it answers.
        probability: that of the answer; `None` where it has none.
        tokens: the text's tokens, start and end included.
        weights: their attention weights, which sum to 1.
        truth: the true answer; "" where nobody knows.
    """

    model: str
    label: str
    probability: float | None
    tokens: Sequence[str]
    weights: Sequence[float]
    truth: str = ""

    @property
    def is_wrong(self) -> bool:
        """Whether the answer is not the true one."""
        return bool(self.truth) and self.label != self.truth

    @property
    def shown_probability(self) -> str:
        """The probability with three digits, or ""."""
        return "" if self.probability is None else f"{self.probability:.3f}"

    @property
    def shares(self) -> list[float]:
        """How strongly to colour each token, 0 to 1.

        0 up to the mean of the tokens, so that a text of which no token weighs more
        than another has no colour; 1 from four times the mean on.
        """
        times = [weight * len(self.weights) for weight in self.weights]
        return [min(1.0, max(0.0, (each - 1) / (HOTTEST - 1))) for each in times]


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
