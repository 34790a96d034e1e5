"""Runs whose choices are made on all of their texts in turn."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from rigs.small_task import small_config, small_run
from siatl_keras.callbacks import GroupLearningRates
from siatl_keras.data import read_examples
from siatl_keras.models import SiATLClassifier
from siatl_keras.runs import finetune
from siatl_keras.runs.cross_validation import cross_validate, mean_validation
from siatl_keras.runs.run_data import RunData
from siatl_keras.runs.training import Training
from siatl_keras.runs.tune import tune


@pytest.fixture
def without_validation(files):
    return [files[0], "", files[2]]


def write_labels(path, labels):
    rows = [f"text {row}\t{label}\n" for row, label in enumerate(labels)]
    path.write_text("text\tlabel\n" + "".join(rows), "utf-8")
    return [path, ""]


def test_each_text_is_held_out_once_and_each_fold_has_the_classes_shares(
    without_validation, lm, tmp_path
):
    config = small_config(without_validation, lm, tmp_path, folds=5)
    data = RunData.read(config)
    whole = read_examples(without_validation[0])
    assert data.train == whole and data.folds
    assert sorted(data.held_out.lines) == whole.lines
    assert data.held_out.lines == [
        li for part in data.folds for li in part.held_out.lines
    ]
    for part in data.folds:
        assert sorted(part.train.lines + part.held_out.lines) == whole.lines
        counts = Counter(part.held_out.labels)
        assert max(counts.values()) - min(counts.values()) <= 1
        np.testing.assert_array_equal(part.lesson.targets, data.targets(part.train))
    assert RunData.read(config).held_out == data.held_out
    other = RunData.read(replace(config, seed=1))
    assert other.held_out.lines != data.held_out.lines


def test_rare_classes_keep_a_text_to_learn_from(lm, tmp_path):
    labels = ["once", *["twice"] * 2, *["often"] * 20]
    files = write_labels(tmp_path / "train.tsv", labels)
    data = RunData.read(small_config(files, lm, tmp_path, folds=5))
    assert len(data.held_out.texts) == 22
    for part in data.folds:
        assert set(part.train.labels) == {"once", "twice", "often"}


def test_too_few_texts_for_the_folds_are_refused(lm, tmp_path):
    files = write_labels(tmp_path / "train.tsv", ["a", "a", "b", "b", "c"])
    config = small_config(files, lm, tmp_path, folds=5)
    with pytest.raises(ValueError, match="train.tsv: 4 of the 5 .* folds=5") as error:
        RunData.read(config)
    assert "fewer `folds`" in str(error.value)
    assert len(RunData.read(replace(config, folds=4)).folds) == 4


@pytest.mark.parametrize("folds", [1, 0])
def test_one_fold_is_none(files, lm, tmp_path, folds):
    with pytest.raises(ValueError, match="`folds` must be .* at least 2"):
        small_config([files[0], ""], lm, tmp_path, folds=folds)


def test_folds_and_validation_texts_exclude_each_other(files, lm, tmp_path):
    with pytest.raises(ValueError, match=r"`folds` hold .*folds=3, validation="):
        small_config(files, lm, tmp_path, folds=3)


def test_the_figures_are_means_over_folds_and_all_texts_are_learned_from(
    without_validation, lm, tmp_path, capsys
):
    run = {"folds": 3, "epochs": 4, "task_learning_rate": 0.02}
    config = small_config(without_validation, lm, tmp_path / "run", **run)
    model, metrics = finetune(config)
    printed = capsys.readouterr().out
    for number in (1, 2, 3):
        assert f"Fold {number} of 3: 2" in printed
    best = metrics["best_epoch"]
    assert f"Epoch {best} is the best of the folds; now on all 32 texts" in printed
    assert len(metrics["folds"]) == 3 and len(metrics["history"]) == best
    for name in ("task_loss", "macro_f1"):
        mean = np.mean([fold[f"val_{name}"] for fold in metrics["folds"]])
        assert metrics["validation"][name] == pytest.approx(mean)
        assert metrics["history"][-1][f"val_{name}"] == pytest.approx(mean)
    assert {fold["epoch"] for fold in metrics["folds"]} == {best}
    losses = [logs["val_task_loss"] for logs in metrics["history"]]
    assert losses[-1] == min(losses)
    # That of one model on all texts, with no others beside.
    written = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert written["folds"] and sorted(written) == sorted(metrics)
    alone = small_run(
        without_validation, lm, tmp_path / "alone", epochs=4, task_learning_rate=0.02
    )[1]
    assert alone["history"][0]["task_loss"] != metrics["history"][0]["task_loss"]
    saved = SiATLClassifier.from_preset(str(tmp_path / "run" / "model"))
    assert saved.task == model.task and 0 < float(saved.word_scores.share) < 1
    assert not (tmp_path / "run" / "backup").exists()
    logs = sorted(p.name for p in (tmp_path / "run" / "tensorboard").glob("*/"))
    assert logs == ["fold_1", "fold_2", "fold_3", "train"]


def test_without_test_texts_the_answers_to_all_held_out_texts_are_compared(
    files, lm, tmp_path
):
    _, metrics = small_run([files[0], ""], lm, tmp_path, folds=2, epochs=1)
    compared = metrics["counted_words"]
    assert compared["texts"] == "held_out"
    # Of 32 texts, so many that no share of four held-out ones is hit.
    assert 0 <= compared["model"] <= 1 and 0 <= compared["words"] <= 1
    linear = {"method": "bow", "folds": 2}
    _, words = small_run([files[0], ""], lm, tmp_path / "words", **linear)
    assert compared["words"] == pytest.approx(words["validation"]["macro_f1"])
    assert metrics["validation"]["accuracy"] * 32 == pytest.approx(
        round(metrics["validation"]["accuracy"] * 32)
    )


def test_a_run_stopped_in_its_second_fold_goes_on_there(
    without_validation, lm, tmp_path, monkeypatch, capsys
):
    def config(name):
        return small_config(without_validation, lm, tmp_path / name, folds=2, epochs=3)

    begun = []

    def stop(self, epoch, logs=None):
        begun.append(epoch)
        if len(begun) == 6:
            raise KeyboardInterrupt

    whole, expected = finetune(config("whole"), verbose=0)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(GroupLearningRates, "on_epoch_begin", stop)
        finetune(config("stopped"), verbose=0)
    backup = tmp_path / "stopped" / "backup"
    assert sorted(path.name for path in backup.iterdir()) == ["fold_1.npz", "fold_2"]
    capsys.readouterr()
    model, metrics = finetune(config("stopped"))
    printed = capsys.readouterr().out
    assert "Fold 1" not in printed and "Resuming after epoch 2" in printed
    assert str(metrics) == str(expected)
    for mine, theirs in zip(model.weights, whole.weights, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


@pytest.mark.parametrize("method", ["bow", "nbow"])
def test_linear_models_choose_by_all_folds(without_validation, lm, tmp_path, method):
    model, metrics = small_run(without_validation, lm, tmp_path, method=method, folds=4)
    assert metrics["test"]["macro_f1"] == 1 and metrics["validation"]["accuracy"] > 0.9
    words = model.named_steps["features"][0]
    if method == "bow":  # Of all texts, not of those of a fold.
        texts = read_examples(without_validation[0]).texts
        assert set(words.vocabulary_) >= {w for t in texts for w in t.split() if w[1:]}


@pytest.mark.slow
def test_ulmfit_adapts_its_language_model_once(without_validation, lm, tmp_path):
    settings = {"method": "ulmfit", "epochs": 2, "lm_epochs": 1, "folds": 2}
    _, metrics = small_run(without_validation, lm, tmp_path / "run", **settings)
    assert metrics["language_model"]["perplexity"] > 1
    assert len(metrics["folds"]) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"task": "ordinal", "levels": "bad,good"},
        {"task": "multi_label"},
        {"average_momentum": 0.9, "patience": 1, "class_weight": "balanced"},
    ],
    ids=str,
)
def test_folds_work_with_all_tasks_and_averages(
    without_validation, lm, tmp_path, settings
):
    model, metrics = small_run(
        without_validation, lm, tmp_path / "run", folds=2, epochs=3, **settings
    )
    assert len(metrics["folds"]) == 2 and metrics["test"]
    saved = SiATLClassifier.from_preset(str(tmp_path / "run" / "model"))
    texts = read_examples(without_validation[2]).texts
    np.testing.assert_allclose(
        saved.predict(texts, verbose=0), model.predict(texts, verbose=0), atol=1e-5
    )


def test_answers_are_tuned_on_the_outputs_of_the_epoch_that_is_kept(
    without_validation, lm, tmp_path
):
    config = small_config(
        without_validation,
        lm,
        tmp_path,
        folds=2,
        epochs=4,
        method="p-lm",
        word_scores=False,
        task_learning_rate=0.1,
        pretrained_learning_rate=0.1,
    )
    data = RunData.read(config)
    training = Training(config, config.plan(), lm, data.task, None, 0)
    found = cross_validate(training, data.folds)
    losses = [logs["val_task_loss"] for logs in found.validation]
    assert found.best_epoch == np.argmin(losses) + 1
    assert found.answers.words is None
    targets = data.targets(data.held_out)
    parts = np.split(np.arange(len(targets)), [len(data.folds[0].held_out.texts)])
    for logs, rows in zip(found.folds, parts, strict=True):
        loss = data.task.mean_loss(targets[rows], found.answers.outputs[rows])
        assert loss == pytest.approx(logs["val_task_loss"], rel=1e-4)
    # Else the last epoch's would do as well.
    assert found.best_epoch < 4 and len(set(losses)) == 4


def test_epochs_are_averaged_as_far_as_all_folds_went():
    folds = [
        [{"loss": 9.0, "val_loss": 1.0}, {"loss": 9.0, "val_loss": 3.0}],
        [{"loss": 9.0, "val_loss": 2.0}],
    ]
    assert mean_validation(folds) == [{"val_loss": 1.5}]


@pytest.mark.slow
def test_a_search_judges_its_trials_by_all_folds(without_validation, lm, tmp_path):
    run = {"folds": 2, "epochs": 1}
    config = small_config(without_validation, lm, tmp_path / "search", **run)
    (trial,) = tune(config, trials=1)
    _, metrics = small_run(without_validation, lm, tmp_path / "run", **run)
    assert trial.score == pytest.approx(metrics["validation"]["task_loss"])
