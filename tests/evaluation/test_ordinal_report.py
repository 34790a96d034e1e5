"""OrdinalReport: scikit-learn's kappa and error, beside the figures of classes."""

import json

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from matplotlib.image import imread
from sklearn.metrics import accuracy_score, cohen_kappa_score, mean_absolute_error

from siatl_keras.evaluation import evaluate_levels

LEVELS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2)


@given(LEVELS)
def test_figures_are_scikit_learn_s(pairs):
    assume(len({level for pair in pairs for level in pair}) > 1)
    targets, predicted = np.array(pairs).T
    report = evaluate_levels(targets, predicted, ["1", "2", "3", "4"])
    expected = cohen_kappa_score(
        targets, predicted, weights="quadratic", labels=range(4)
    )
    assert report.quadratic_kappa == pytest.approx(expected)
    assert report.mae == pytest.approx(mean_absolute_error(targets, predicted))
    assert report.levels.accuracy == accuracy_score(targets, predicted)
    figures = report.to_dict()
    assert json.loads(json.dumps(figures)) == figures
    assert {*report.measures} < {*figures}


def test_the_text_begins_with_the_distances_and_the_picture_is_the_confusion(tmp_path):
    report = evaluate_levels([0, 1, 2], [0, 2, 2], ["bad", "fair", "good"])
    first, interval, second, *_ = report.to_text().splitlines()
    assert first == "quadratic kappa 0.8000   MAE 0.3333 levels"
    assert interval == "95 % interval of the quadratic kappa: 0.0000 to 1.0000"
    assert second.startswith("accuracy 0.6667")
    report.draw(tmp_path / report.picture)
    assert imread(tmp_path / "confusion.png").shape[0] > 300
