"""NumberReport: scikit-learn's errors and scipy's correlations."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from siatl_keras.evaluation import evaluate_numbers

NUMBERS = st.integers(-100, 100).map(lambda number: number / 4)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2))
def test_figures_are_those_of_scikit_learn_and_scipy(pairs):
    targets, predicted = np.array(pairs).T
    report = evaluate_numbers(targets, predicted)
    assert report.mae == pytest.approx(mean_absolute_error(targets, predicted))
    assert report.rmse == pytest.approx(root_mean_squared_error(targets, predicted))
    if np.ptp(targets) and np.ptp(predicted):
        assert report.pearson == pytest.approx(pearsonr(targets, predicted)[0])
        assert report.spearman == pytest.approx(spearmanr(targets, predicted)[0])
    else:
        assert report.pearson == report.spearman == 0.0
    figures = report.to_dict()
    assert json.loads(json.dumps(figures)) == figures
    assert list(report.measures) == ["mae", "rmse", "pearson", "spearman"]


def test_the_plain_answer_stands_beside_and_a_picture_is_drawn(tmp_path):
    report = evaluate_numbers([1.0, 2.0, 6.0], [1.5, 2.0, 5.0])
    assert report.mae_of_median == pytest.approx(5 / 3)
    assert "always answering their median: 1.6667" in report.to_text()
    report.draw(tmp_path / report.picture)
    assert imread(tmp_path / "predicted.png").shape[0] > 300
