import json

import numpy as np
import pytest

from recipes.reproduction.run_key import RunKey
from recipes.reproduction.run_result import RunResult
from siatl_keras.evaluation import Predictions

KEY = RunKey("scv2", "siatl", 0)
TEST = {"macro_f1": 0.5, "accuracy": 0.75, "classes": {"no": {}, "yes": {}}}
TESTED = {"measures": ["macro_f1", "accuracy"], "test": TEST}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / KEY.folder
    folder.mkdir(parents=True)
    return folder


def test_figures_are_those_of_the_files(tmp_path, folder):
    metrics = {**TESTED, "validation": {"perplexity": 99.0}}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    predictions = Predictions(np.array([1]), np.array([1]), np.array([[0.25, 0.75]]))
    predictions.write(folder / "predictions.tsv", ["so good"])
    run = RunResult.read(tmp_path, KEY)
    assert [run.value(name) for name in run.measures] == [0.5, 0.75]
    assert run.lm_perplexity == 99.0
    assert run.num_classes == 2
    assert run.predictions.predicted.tolist() == [1]


def test_a_method_without_a_language_model_has_no_perplexity(tmp_path, folder):
    (folder / "metrics.json").write_text(json.dumps(TESTED))
    run = RunResult.read(tmp_path, KEY)
    assert run.lm_perplexity is None and run.predictions is None


@pytest.mark.parametrize(
    ("text", "message"), [("{", "not JSON"), ("{}", "no figures on test texts")]
)
def test_a_run_that_says_nothing_is_refused_by_name(tmp_path, folder, text, message):
    (folder / "metrics.json").write_text(text)
    with pytest.raises(ValueError, match=f"seed-0/metrics.json: {message}"):
        RunResult.read(tmp_path, KEY)
