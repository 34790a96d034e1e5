import json

import numpy as np
import pytest

from recipes.reproduction.main_table import MainTable
from recipes.reproduction.run_key import RunKey
from recipes.reproduction.run_result import RunResult
from rigs.results_by_hand import result
from siatl_keras.evaluation import Predictions, evaluate_numbers

METHODS = ["siatl", "p-lm", "bow"]


def rows(markdown):
    """The cells of a Markdown text's table rows."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture(scope="module")
def table():
    results = [result("siatl", seed, wrong=20) for seed in (0, 1)]
    results += [result("p-lm", seed, wrong=4) for seed in (0, 1)]
    results += [result("bow", dataset="imdb", wrong=10, predicted=False)]
    results += [result("bow", texts=100), result("siatl", gamma=0.5)]
    return MainTable.of(results, METHODS)


def test_means_deviations_and_the_best_are_in_their_places(table):
    head, _, siatl, p_lm, bow, *_ = rows(table.to_markdown())
    columns = ["scv2 macro F1", "scv2 accuracy", "imdb macro F1", "imdb accuracy"]
    assert head == ["", *columns]
    assert siatl == ["siatl", "**0.950 ± 0.000**", "**0.950 ± 0.000**", "–", "–"]
    assert p_lm[0] == "p-lm" and p_lm[1].startswith("0.7") and p_lm[1].endswith("†")
    assert bow == ["bow", "–", "–", "**0.899**", "**0.900**"]


def test_differences_are_those_from_the_reference(table):
    siatl, p_lm, bow = rows(table.to_markdown())[-3:]
    assert siatl == ["scv2", "siatl", "2", "–", "–", "–"]
    assert p_lm[:3] == ["scv2", "p-lm", "2"]
    assert p_lm[3].startswith("-0.2") and float(p_lm[5]) < 0.01
    # Neither a reference nor predictions to compare.
    assert bow == ["imdb", "bow", "1", "–", "–", "–"]


def test_a_difference_within_the_noise_is_not_marked():
    results = [result("siatl", wrong=20), result("p-lm", wrong=19)]
    markdown = MainTable.of(results, METHODS).to_markdown()
    assert "†" not in "".join(rows(markdown)[3])
    assert float(rows(markdown)[-1][-1]) > 0.3


def test_equally_good_methods_are_both_in_bold():
    results = [result("siatl"), result("p-lm")]
    _, _, siatl, p_lm, *_ = rows(MainTable.of(results, METHODS).to_markdown())
    assert siatl[1:] == p_lm[1:] == ["**0.899**", "**0.900**"]


def test_the_dict_survives_json_and_holds_every_cell(table):
    figures = table.to_dict()
    assert json.loads(json.dumps(figures)) == figures
    assert list(figures["datasets"]["scv2"]) == ["siatl", "p-lm"]
    cell = figures["datasets"]["scv2"]["p-lm"]
    assert cell["macro_f1"]["count"] == 2
    assert cell["difference"]["low"] < cell["difference"]["high"] < 0
    assert figures["datasets"]["imdb"]["bow"]["difference"] is None


def test_runs_on_other_test_texts_are_not_compared():
    other = result("p-lm")
    said = other.predictions
    moved = Predictions(np.roll(said.targets, 1), said.predicted, said.scores)
    results = [result("siatl"), RunResult(other.key, other.metrics, moved)]
    with pytest.raises(ValueError, match="tested on other texts"):
        MainTable.of(results, METHODS)


def number_run(method, error):
    """A run that answers a hundred numbers, all too high by `error`."""
    targets = np.arange(100.0)
    report = evaluate_numbers(targets, targets + error * (1 + targets / 50))
    return RunResult(
        RunKey("prices", method, 0),
        {"measures": list(report.measures), "test": report.to_dict()},
        Predictions(report.targets, report.predicted, np.zeros((100, 0))),
    )


def test_the_lowest_error_is_best_and_each_data_set_has_its_own_figures():
    results = [number_run("siatl", 2.0), number_run("bow", 1.0), result("siatl")]
    table = MainTable.of(results, METHODS)
    head, _, siatl, bow, *_ = rows(table.to_markdown())
    assert head == ["", "prices MAE", "prices RMSE", "scv2 macro F1", "scv2 accuracy"]
    assert siatl[1] == "3.980" and bow[1] == "**1.990** †"
    assert "the first figure of a data set differs" in table.to_markdown()
    figures = table.to_dict()["datasets"]["prices"]["bow"]
    assert figures["difference"]["difference"] == pytest.approx(-1.99)
    assert list(figures) == ["mae", "rmse", "difference"]


def test_runs_of_two_tasks_on_one_data_set_are_refused():
    other = number_run("bow", 1.0)
    other = RunResult(RunKey("scv2", "bow", 0), other.metrics, other.predictions)
    with pytest.raises(ValueError, match="different figures.*another task"):
        MainTable.of([result("siatl"), other], METHODS)
