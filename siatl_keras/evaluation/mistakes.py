"""`most_confident_mistakes`: the wrong answers that a model was surest of.

They show what it has not understood, or which labels are wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from siatl_keras.evaluation.predictions import Predictions

MOST = 10
# Columns of a line, and those of a text in it at least.
COLUMNS, TEXT = 100, 30


@dataclass(frozen=True)
class Mistake:
    """A wrong answer.

    Attributes:
        row: int, number of the text, from 0.
        text: str; both texts of a pair, with " / " between.
        label: str, what is true, by name; a number as it is written.
        answer: str, what was answered.
        confidence: float, the probability that the model gave to its answer; of several
            labels, to its surest wrong decision; of numbers, the distance.
    """

    row: int
    text: str
    label: str
    answer: str
    confidence: float

    def to_line(self) -> str:
        """Writes it in a line, the text cut to fit."""
        answers = f"{self.confidence:5.2f}  {self.answer} (true: {self.label})  "
        text, room = " ".join(self.text.split()), max(TEXT, COLUMNS - len(answers))
        return answers + (text if len(text) <= room else f"{text[: room - 1]}…")


def most_confident_mistakes(
    predictions: Predictions, texts: Sequence[Any], most: int = MOST
) -> list[Mistake]:
    """Finds the wrong answers that were given with the highest probability.

    Args:
        predictions: answers and truth.
        texts: str, or tuples of two.
        most: int, how many at most.

    Returns:
        the mistakes, the surest first; of numbers, the farthest from the truth.

    Example:
    >>> probabilities = np.array([[0.1, 0.9], [0.4, 0.6], [0.8, 0.2]])
    >>> answers = Predictions(np.array([0, 0, 0]), probabilities.argmax(1),
    ...     probabilities, ("bad", "good"))
    >>> [wrong.text for wrong in most_confident_mistakes(answers, ["a", "b", "c"])]
    ['a', 'b']
    """
    targets, answers = predictions.targets, predictions.predicted
    wrong = targets != answers
    if targets.ndim == 2:
        sure = np.where(answers > 0, predictions.scores, 1.0 - predictions.scores)
        confidence = np.where(wrong, sure, 0.0).max(1)
        wrong = wrong.any(1)
    elif targets.dtype.kind == "f":
        confidence = np.abs(targets - answers)
    else:
        confidence = np.take_along_axis(predictions.scores, answers[:, None], 1)[:, 0]
    order = np.argsort(-confidence, kind="stable")
    rows = [int(row) for row in order if wrong[row]][:most]
    return [
        Mistake(
            row,
            shown_text(texts[row]),
            predictions.name(targets[row]),
            predictions.name(answers[row]),
            float(confidence[row]),
        )
        for row in rows
    ]


def shown_text(text: Any) -> str:
    """Returns a text, or both of a pair, as one string."""
    return text if isinstance(text, str) else " / ".join(text)


def mistakes_text(mistakes: Sequence[Mistake], are_numbers: bool = False) -> str:
    """Writes mistakes as a paragraph; "" where there are none."""
    if not mistakes:
        return ""
    heading = "farthest from the truth:" if are_numbers else "surest wrong answers:"
    return "\n".join([heading, *(mistake.to_line() for mistake in mistakes)]) + "\n"
