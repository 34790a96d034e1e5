"""checked_answers: what cannot be compared is refused in every report."""

import numpy as np
import pytest

from siatl_keras.evaluation import (
    evaluate_levels,
    evaluate_multi_label,
    evaluate_numbers,
)

REPORTS = {
    "labels": (lambda t, p: evaluate_multi_label(t, p, "ab"), np.eye(2)),
    "levels": (lambda t, p: evaluate_levels(t, p, "ab"), np.array([0, 1])),
    "numbers": (evaluate_numbers, np.array([0.5, 1.5])),
}


@pytest.mark.parametrize("kind", REPORTS)
def test_none_too_few_and_diverged_answers_are_refused(kind):
    report, right = REPORTS[kind]
    report(right, right)
    for targets, predicted, message in (
        (right[:0], right[:0], "at least one"),
        (right, right[:1], "equally many"),
        (right, np.full(right.shape, np.nan), "has diverged"),
        (right, np.full(right.shape, np.inf), "has diverged"),
    ):
        with pytest.raises(ValueError, match=message):
            report(targets, predicted)
