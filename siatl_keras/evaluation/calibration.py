"""`Calibration`: whether probabilities mean what they say.

Of answers given with 0.8, eight in ten should be right. Sources: Guo et al. 2017, "On
calibration of modern neural networks", section 2; Geifman & El-Yaniv 2017, "Selective
classification for deep neural networks", for what is gained by not answering.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

BINS = 15
# Least confidences of an answer, in the table of what they cost and gain.
THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class ConfidenceBin:
    """Answers of about the same confidence.

    Attributes:
        confidence: float, the mean of theirs.
        right: float, share of them that is right.
        answers: int, how many they are.
    """

    confidence: float
    right: float
    answers: int


@dataclass(frozen=True)
class Coverage:
    """What is left where answers below a confidence are not given.

    Attributes:
        at_least: float, the confidence.
        answered: float, share of the texts that are answered.
        right: float, share of the answers that is right; `None` without answers.
    """

    at_least: float
    answered: float
    right: float | None


@dataclass(frozen=True)
class Calibration:
    """How far confidences are from the truth.

    Attributes:
        ece: expected calibration error: the mean distance between confidence and share
            of right answers over 15 bins of equal width, weighed by their answers.
        brier: Brier score: the mean squared distance between probabilities and truth,
            summed over classes, or of each label.
        bins: those that have answers, the lowest confidence first.
        coverage: by least confidence; empty where texts may have several labels, each
            an answer of its own.
    """

    ece: float
    brier: float
    bins: tuple[ConfidenceBin, ...]
    coverage: tuple[Coverage, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures for JSON."""
        return {
            "ece": self.ece,
            "brier": self.brier,
            "bins": [asdict(each) for each in self.bins],
            "coverage": [asdict(row) for row in self.coverage],
        }

    def to_text(self) -> str:
        """Returns the figures as aligned text: totals, then the table of coverage."""
        lines = [
            f"calibration error {self.ece:.4f} (ECE, {BINS} bins)   "
            f"Brier score {self.brier:.4f}"
        ]
        if self.coverage:
            lines += ["", "confidence  texts answered  of these right"]
        for row in self.coverage:
            right = "" if row.right is None else f"  {row.right:14.1%}"
            lines.append(f"{row.at_least:>10.2f}  {row.answered:14.1%}{right}")
        return "\n".join(lines) + "\n"


def calibration_figures(calibration: Calibration | None) -> dict[str, Any]:
    """Returns a report's `calibration` for JSON; nothing where there is none."""
    return {} if calibration is None else {"calibration": calibration.to_dict()}


def calibration_text(calibration: Calibration | None) -> str:
    """Returns the end of a report's text; nothing where there is no calibration."""
    return "" if calibration is None else "\n" + calibration.to_text()


def calibration_of_answers(
    targets: Any, answers: Any, probabilities: Any
) -> Calibration:
    """Compares the probability of each answer with whether it is right.

    Args:
        targets: int `[texts]`, true classes or levels.
        answers: int `[texts]`, those answered.
        probabilities: float `[texts, classes]`, each row with sum 1.

    Returns:
        `Calibration`.

    Example:
    >>> calibration = calibration_of_answers([0, 1], [0, 0], [[0.7, 0.3], [0.7, 0.3]])
    >>> round(calibration.ece, 3), round(calibration.brier, 3)
    (0.2, 0.58)
    """
    targets, answers = np.asarray(targets), np.asarray(answers)
    probabilities = np.asarray(probabilities, "float64")
    confidence = np.take_along_axis(probabilities, answers[:, None], 1)[:, 0]
    right = targets == answers
    is_true = targets[:, None] == np.arange(probabilities.shape[1])
    brier = np.square(probabilities - is_true).sum(1).mean()
    rows = []
    for at_least in THRESHOLDS:
        given = confidence >= at_least
        share = float(right[given].mean()) if given.any() else None
        rows.append(Coverage(at_least, float(given.mean()), share))
    return _calibration(confidence, right, float(brier), tuple(rows))


def calibration_of_labels(targets: Any, probabilities: Any) -> Calibration:
    """Compares the probability of each label with how often texts have it.

    Args:
        targets: 0 or 1 `[texts, labels]`.
        probabilities: float `[texts, labels]`.

    Returns:
        `Calibration`, of all labels of all texts.
    """
    has = np.asarray(targets).ravel() > 0
    probabilities = np.asarray(probabilities, "float64").ravel()
    brier = float(np.square(probabilities - has).mean())
    return _calibration(probabilities, has, brier)


def _calibration(
    confidence: np.ndarray,
    right: np.ndarray,
    brier: float,
    coverage: tuple[Coverage, ...] = (),
) -> Calibration:
    numbers = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    bins = tuple(
        ConfidenceBin(
            float(confidence[inside].mean()),
            float(right[inside].mean()),
            int(inside.sum()),
        )
        for inside in (numbers == number for number in range(BINS))
        if inside.any()
    )
    distances = [abs(each.confidence - each.right) * each.answers for each in bins]
    return Calibration(sum(distances) / len(confidence), brier, bins, coverage)
