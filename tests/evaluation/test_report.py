import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from siatl_keras.evaluation import evaluate_predictions
from siatl_keras.metrics import MacroF1

NAMES = ["refund", "delivery", "other"]
LABELS = [0, 0, 0, 1, 1, 2]
PREDICTIONS = [0, 0, 1, 1, 2, 2]


def test_figures_are_those_worked_out_by_hand():
    report = evaluate_predictions(LABELS, PREDICTIONS, NAMES)
    assert report.accuracy == report.micro_f1 == pytest.approx(4 / 6)
    assert report.precision == pytest.approx([1, 1 / 2, 1 / 2])
    assert report.recall == pytest.approx([2 / 3, 1 / 2, 1])
    assert report.f1 == pytest.approx([4 / 5, 1 / 2, 2 / 3])
    assert report.macro_f1 == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)
    assert report.support == [3, 2, 1]
    assert report.confusion == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]


def test_logits_and_probabilities_give_the_class_they_rank_first():
    logits = np.eye(3)[PREDICTIONS] * 5 - 2
    assert evaluate_predictions(LABELS, logits, NAMES) == evaluate_predictions(
        LABELS, PREDICTIONS, NAMES
    )


def test_a_class_that_nobody_has_counts_as_zero_in_macro_f1():
    report = evaluate_predictions([0, 1], [0, 1], NAMES)
    assert report.accuracy == 1.0
    assert report.macro_f1 == pytest.approx(2 / 3)
    assert report.support == [1, 1, 0]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_macro_f1_is_that_of_the_metric_in_training(pairs):
    labels, predictions = np.array(pairs).T
    report = evaluate_predictions(labels, predictions, list("abcd"))
    metric = MacroF1(4)
    metric.update_state(labels, np.eye(4)[predictions])
    assert report.macro_f1 == pytest.approx(float(metric.result()), abs=1e-6)
    assert report.macro_f1 == pytest.approx(
        f1_score(labels, predictions, labels=range(4), average="macro", zero_division=0)
    )


def test_the_dict_survives_json():
    figures = evaluate_predictions(LABELS, PREDICTIONS, NAMES).to_dict()
    assert json.loads(json.dumps(figures)) == figures
    assert figures["classes"]["delivery"]["support"] == 2


def test_the_text_has_every_class_in_aligned_columns():
    text = evaluate_predictions(LABELS, PREDICTIONS, NAMES).to_text()
    totals, head, table, means, confusion = text.split("\n\n")
    assert "accuracy 0.6667" in totals
    assert "texts 6" in totals
    assert head.split() == ["precision", "recall", "f1-score", "support"]
    rows = table.splitlines()
    assert rows[1].split() == ["delivery", "0.5000", "0.5000", "0.5000", "2"]
    assert [row.split()[0] for row in rows] == NAMES
    assert len({len(row) for row in [head, *rows]}) == 1
    assert "macro avg     0.6667    0.7222    0.6556         6" in means
    counts = confusion.splitlines()[1:]
    assert counts[1].split() == ["refund", "2", "1", "0"]
    assert len({len(row) for row in counts}) == 1


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        ([], [], "at least one"),
        ([0, 1], [0], "equally many"),
        ([0, 3], [0, 1], r"name every class.*the classes \[3\]"),
        ([0, 1], [0, -1], r"the classes \[-1\]"),
        ([0], [[0.1, float("nan"), 0.2]], "must be finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(labels, predictions, message):
    with pytest.raises(ValueError, match=message):
        evaluate_predictions(labels, predictions, NAMES)
