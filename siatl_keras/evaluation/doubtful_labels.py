"""`doubtful_labels`: labels that are probably wrong, by what a model says instead.

Source: Northcutt, Jiang and Chuang 2021, "Confident learning: estimating uncertainty in
dataset labels", as cleanlab has it.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from siatl_keras.evaluation.mistakes import Mistake, shown_text
from siatl_keras.evaluation.predictions import Predictions
from siatl_keras.extras import is_installed, needed

# A label is not believed at this probability or less: a weak model is wrong more often
# than labels are.
UNBELIEVABLE = 0.1


def doubtful_labels(
    predictions: Predictions, texts: Sequence[Any]
) -> list[Mistake] | None:
    """Finds labels that a model does not believe, on texts it has not learned from.

    Args:
        predictions: answers and truth.
        texts: str, or tuples of two.

    Returns:
        the labels, the least believable first, with what the model answers and its
        probability; none for numbers. `None` where cleanlab is not installed.

    Example:
    >>> sure = np.array([[0.98, 0.02]] * 20 + [[0.02, 0.98]] * 20)
    >>> labels = np.array([0] * 20 + [0] + [1] * 19)
    >>> answers = Predictions(labels, sure.argmax(1), sure, ("bad", "good"))
    >>> [one.text for one in doubtful_labels(answers, list(map(str, range(40))))]
    ['20']
    """
    targets = predictions.targets
    if targets.dtype.kind == "f" and targets.ndim == 1:
        return []
    if not is_installed("cleanlab"):
        return None
    find_label_issues = needed("cleanlab.filter").find_label_issues
    several = targets.ndim == 2
    labels = [np.flatnonzero(row).tolist() for row in targets] if several else targets
    with warnings.catch_warnings():
        # Such as of classes that none of these texts has.
        warnings.simplefilter("ignore")
        rows = find_label_issues(
            labels,
            predictions.scores,
            filter_by="both",
            return_indices_ranked_by="self_confidence",
            multi_label=several,
            n_jobs=1,
        )
    answers = predictions.predicted
    found = []
    for row in map(int, rows):
        if np.array_equal(answers[row], targets[row]):
            continue  # Nothing else is suggested.
        scores = predictions.scores[row]
        given = np.flatnonzero(targets[row]) if several else targets[row]
        if np.min(scores[given], initial=1.0) > UNBELIEVABLE:
            continue
        sure = scores[np.flatnonzero(answers[row])] if several else scores[answers[row]]
        found.append(
            Mistake(
                row,
                shown_text(texts[row]),
                predictions.name(targets[row]),
                predictions.name(answers[row]),
                float(np.min(sure, initial=1.0)),
            )
        )
    return found
