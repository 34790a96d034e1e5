"""MultiLabelReport: scikit-learn's figures, for all labels and for each."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.image import imread
from sklearn.metrics import accuracy_score, f1_score

from siatl_keras.evaluation import evaluate_multi_label

MATRICES = st.integers(1, 8).flatmap(
    lambda texts: st.tuples(
        *[arrays("int64", (texts, 3), elements=st.integers(0, 1))] * 2
    )
)


@given(MATRICES)
def test_figures_are_scikit_learn_s(matrices):
    report = evaluate_multi_label(*matrices, ["a", "b", "c"])
    for average in ("macro", "micro"):
        expected = f1_score(*matrices, average=average, zero_division=0)
        assert report.measures[f"{average}_f1"] == pytest.approx(expected)
    assert report.exact_match == pytest.approx(accuracy_score(*matrices))
    assert report.support == matrices[0].sum(0).tolist()
    figures = report.to_dict()
    assert json.loads(json.dumps(figures)) == figures
    assert list(report.measures) == ["macro_f1", "micro_f1", "exact_match"]


def test_the_text_has_a_line_for_each_label_and_the_picture_a_bar(tmp_path):
    names = [f"label {number}" for number in range(28)]
    random = np.random.default_rng(0)
    report = evaluate_multi_label(*random.integers(0, 2, (2, 50, 28)), names)
    lines = report.to_text().splitlines()
    assert lines[0].startswith("macro F1 0.") and lines[0].endswith("texts 50")
    assert [line[:8].strip() for line in lines[4:]] == names
    report.draw(tmp_path / report.picture)
    # Room for a line of letters for each label.
    assert imread(tmp_path / "f1_by_label.png").shape[0] > 28 * 25


@pytest.mark.parametrize(
    ("targets", "predicted", "message"),
    [
        ([[0, 1, 0]], [[0, 1, 0]], "a column for each"),
        ([0, 1], [0, 1], "a column for each"),
        ([[0, 2]], [[0, 1]], "must be 0 or 1"),
        ([[0, 1]], [[0, 0.5]], "must be 0 or 1"),
    ],
)
def test_what_is_no_row_of_0_and_1_is_refused(targets, predicted, message):
    with pytest.raises(ValueError, match=message):
        evaluate_multi_label(targets, predicted, ["a", "b"])
