"""`yes_or_no_start`: yes-or-no questions answered by ridge regression, as log odds.

One decomposition of the features serves all questions and strengths, and says what each
text would have got without itself; logistic regressions take minutes for dozens of
labels.
"""

from __future__ import annotations

import numpy as np

# Of the regularisation, for features of deviation 1.
STRENGTHS = np.geomspace(1.0, 1e5, 11)
# Log odds of what all texts say, or none.
CERTAIN = 3.0


def yes_or_no_start(
    features: np.ndarray, answers: np.ndarray, asked: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fits kernel and bias of a linear layer that gives the log odds of yes.

    Args:
        features: float `[texts, features]`, each of mean 0 and deviation 1.
        answers: bool `[texts, questions]`.
        asked: bool `[texts, questions]`, which answers count.

    Returns:
        `(kernel [features, questions], bias [questions])`.
    """
    kernel = np.zeros((features.shape[1], answers.shape[1]))
    bias = np.zeros(answers.shape[1])
    # Questions to the same texts go together.
    groups, numbers = np.unique(asked, axis=1, return_inverse=True)
    for group, rows in enumerate(groups.T):
        questions = np.flatnonzero(numbers.ravel() == group)
        if not rows.any():
            continue
        said = answers[np.ix_(rows, questions)].astype("float64")
        slopes, levels, without = _ridge(features[rows], said)
        for place, question in enumerate(questions):
            if said[:, place].all() or not said[:, place].any():
                bias[question] = CERTAIN if said[0, place] else -CERTAIN
                continue
            scale, shift = _log_odds(without[:, place], said[:, place])
            kernel[:, question] = scale * slopes[:, place]
            bias[question] = scale * levels[place] + shift
    return kernel, bias


def _ridge(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fits each column of `y`; returns slopes, intercepts, leave-one-out predictions.

    The strength of each column is that of the lowest leave-one-out error.
    """
    mean, level = x.mean(0), y.mean(0)
    u, s, vt = np.linalg.svd(x - mean, full_matrices=False)
    along = u.T @ (y - level)
    slopes = np.zeros((x.shape[1], y.shape[1]))
    without = np.zeros_like(y)
    lowest = np.full(y.shape[1], np.inf)
    for strength in STRENGTHS:
        kept = s**2 / (s**2 + strength)
        leverage = np.minimum((u * u) @ kept + 1 / len(x), 1 - 1e-6)
        left = (y - level - u @ (kept[:, None] * along)) / (1 - leverage)[:, None]
        errors = np.square(left).mean(0)
        better = errors < lowest
        lowest[better] = errors[better]
        without[:, better] = (y - left)[:, better]
        found = vt.T @ ((s / (s**2 + strength))[:, None] * along)
        slopes[:, better] = found[:, better]
    return slopes, level - mean @ slopes, without


def _log_odds(scores: np.ndarray, said: np.ndarray) -> tuple[float, float]:
    """Fits scale and shift that turn scores into log odds (Platt 1999)."""
    from sklearn.linear_model import LogisticRegression

    width = max(float(scores.std()), 1e-6)
    model = LogisticRegression(C=10.0).fit(scores[:, None] / width, said)
    return float(model.coef_[0, 0]) / width, float(model.intercept_[0])
