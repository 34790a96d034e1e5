"""What ends a search and what does not; whole searches: `tests/recipes/test_tune.py`.

`finetune` is replaced by what it may do; the search is the real one.
"""

import importlib
import json
from pathlib import Path

import keras
import pytest

from rigs.small_task import small_config
from siatl_keras.callbacks import TrainingDivergedError
from siatl_keras.runs.tune import tune


@pytest.fixture
def config(files, lm, tmp_path):
    return small_config(files, lm, tmp_path, method="p-lm")


@pytest.fixture
def finetune(monkeypatch):
    """Takes a list of what `finetune` does, call by call: raises, or has a loss.

    A function is called for the loss.
    """
    does = []

    def run(config, strategy, verbose):
        outcome = does.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        if callable(outcome):
            outcome = outcome()
        (Path(config.output) / "model").mkdir(parents=True)
        return None, {"validation": {"task_loss": outcome}}

    module = importlib.import_module("siatl_keras.runs.tune")
    monkeypatch.setattr(module, "finetune", run)
    return does


@pytest.mark.slow
def test_trials_that_diverge_do_not_end_the_search(config, finetune):
    finetune += [TrainingDivergedError("too high")] * 4 + [0.5]
    trials = tune(config, trials=5)
    assert [trial.score for trial in trials] == [0.5, None, None, None, None]


@pytest.mark.parametrize(
    ("error", "raised"),
    [(ValueError("no such file"), ValueError), (OSError("full"), RuntimeError)],
)
def test_wrong_input_and_a_full_disk_end_the_search(config, finetune, error, raised):
    finetune += [error]
    with pytest.raises(raised, match=str(error)) as caught:
        tune(config, trials=3)
    assert caught.value.__cause__ is error


def test_a_trial_that_had_finished_when_the_search_was_stopped_is_not_done_again(
    config, tmp_path, finetune
):
    finetune += [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        tune(config, trials=1)
    run = tmp_path / "backup" / "trial_0" / "run"
    run.mkdir(parents=True, exist_ok=True)
    (run / "metrics.json").write_text(json.dumps({"validation": {"task_loss": 0.25}}))
    (trial,) = tune(config, trials=1)
    assert trial.score == 0.25


def test_every_trial_has_the_precision_that_was_set(config, finetune):
    seen = []

    def note():
        seen.append(keras.config.dtype_policy().name)
        return 0.5

    finetune += [note] * 2
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        tune(config, trials=2)
    finally:
        keras.config.set_dtype_policy("float32")
    assert seen == ["mixed_bfloat16"] * 2
