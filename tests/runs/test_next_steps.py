"""What a run proposes depends on what it was, and on what it found."""

from dataclasses import replace

import pytest

from siatl_keras.data import Examples
from siatl_keras.inputs import LabelledTexts
from siatl_keras.presets.named_models import fetched_folder
from siatl_keras.runs import FinetuneConfig
from siatl_keras.runs.next_steps import next_steps
from siatl_keras.runs.run_data import RunData
from siatl_keras.tasks import SingleLabel

CONFIG = FinetuneConfig(train="a.tsv", output="runs/a", lm="runs/mine", epochs=4)


def data(held_out=300, test=False):
    examples = Examples(["x"] * held_out, ["a"] * held_out, [2] * held_out, "a.tsv")
    none = LabelledTexts([], [], None)
    task = SingleLabel(["a", "b"])
    return RunData(examples, examples, examples if test else None, task, none, none)


def steps(config=CONFIG, texts=None, best=2, epochs=4):
    texts = texts or data()
    return next_steps(config, texts, {"history": [{}] * epochs, "best_epoch": best})


def test_a_run_that_has_ended_well_on_many_texts_proposes_nothing():
    assert steps() == []


def test_one_that_was_still_improving_proposes_more_epochs():
    assert steps(best=4) == ["--epochs=8: the last epoch was the best one"]


def test_few_texts_to_judge_by_are_more_with_folds():
    assert steps(texts=data(held_out=80)) == [
        "--folds=5: all texts are judged by, where these were 80"
    ]
    for other in (data(80, test=True), data(300)):
        assert steps(texts=other) == []
    assert steps(replace(CONFIG, validation="b.tsv"), data(80)) == []


@pytest.mark.parametrize("fetched", [True, False])
def test_the_small_model_names_the_large_one(fetched, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if fetched:
        fetched_folder("smollm2_135m").mkdir(parents=True)
    (step,) = steps(replace(CONFIG, lm="tweets_lstm_small_en"))
    assert step.startswith(
        "--lm=smollm2_135m: " if fetched else "siatl fetch-model --n"
    )
