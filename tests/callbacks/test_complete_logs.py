"""The same columns in every epoch, in a history, in a CSV file and after a resume."""

import csv
import json
import math

import keras
import numpy as np
import pytest

from rigs.board import board
from rigs.tiny_classifier import tiny_classifier, tiny_texts
from siatl_keras.callbacks import (
    BackupAndRestore,
    CompleteLogs,
    GammaDecay,
    GroupLearningRates,
    SequentialUnfreezing,
    in_order,
)
from siatl_keras.plans import stages
from siatl_keras.runs.training import as_epochs

TEXTS, LABELS = tiny_texts(8)


class Seen(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.logs = []

    def on_epoch_end(self, epoch, logs=None):
        self.logs.append(dict(logs))


class Killed(Exception):
    pass


class KillAfter(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise Killed


def fit(folder, *callbacks, epochs=3, validation_freq=1, model=None):
    model = model or tiny_classifier(keras.optimizers.Adam(0.01))
    return model.fit(
        TEXTS,
        LABELS,
        batch_size=8,
        epochs=epochs,
        validation_data=(TEXTS, LABELS),
        validation_freq=validation_freq,
        verbose=0,
        callbacks=[
            # Listed first, and yet it has all that the others log.
            keras.callbacks.CSVLogger(folder / "log.csv", append=True),
            GammaDecay(0.4, 0.1, epochs=3),
            SequentialUnfreezing(stages(2, 3)),
            GroupLearningRates(),
            *callbacks,
        ],
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    seen = Seen()
    tensorboard = keras.callbacks.TensorBoard(folder / "board", write_graph=False)
    history = fit(folder, seen, tensorboard)
    return folder, history, seen.logs


def test_every_epoch_of_the_history_has_the_same_keys(run):
    _, history, _ = run
    assert {len(values) for values in history.history.values()} == {3}
    assert np.isnan(history.history["lm_loss"]).tolist() == [True, False, False]
    assert np.isnan(history.history["perplexity"]).tolist() == [True, False, False]
    everything_else = {
        name: values
        for name, values in history.history.items()
        if name not in ("lm_loss", "perplexity")
    }
    assert {"gamma", "stage", "val_lm_loss", "macro_f1"} <= set(everything_else)
    assert np.isfinite(list(everything_else.values())).all()


def test_epochs_are_read_off_the_history_by_their_place(run):
    _, history, _ = run
    first, second, third = as_epochs(history)
    assert math.isnan(first["lm_loss"])
    assert second["lm_loss"] == history.history["lm_loss"][1]
    assert [first["epoch"], second["epoch"], third["epoch"]] == [1, 2, 3]


def test_the_csv_file_has_every_column_of_the_history(run):
    folder, history, _ = run
    rows = list(csv.DictReader((folder / "log.csv").open()))
    assert set(rows[0]) == {"epoch", *history.history}
    for name, values in history.history.items():
        received = [float(row[name]) for row in rows]
        assert received == pytest.approx(values, rel=1e-5, nan_ok=True)


def test_other_callbacks_see_what_was_computed_alone(run):
    """A NaN would be the best value that `EarlyStopping` ever meets."""
    _, _, logs = run
    assert ["lm_loss" in epoch for epoch in logs] == [False, True, True]
    assert all(np.isfinite(list(epoch.values())).all() for epoch in logs)


def test_tensorboard_draws_no_nan(run):
    folder, history, _ = run
    train = board(folder / "board" / "train")
    losses = train["epoch_lm_loss"]
    assert list(losses) == [1, 2]
    assert len(train["epoch_task_loss"]) == 3
    assert history.history["lm_loss"][1:] == pytest.approx(list(losses.values()))


def test_a_resumed_run_has_the_same_history_and_file(run, tmp_path):
    _, expected, _ = run
    backup = tmp_path / "backup"
    with pytest.raises(Killed):
        fit(tmp_path, KillAfter(1), BackupAndRestore(backup))
    history = fit(tmp_path, BackupAndRestore(backup))
    assert history.history.keys() == expected.history.keys()
    for name, values in expected.history.items():
        assert history.history[name] == pytest.approx(values, rel=1e-4, nan_ok=True)
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert set(rows[0]) == {"epoch", *expected.history}


def test_a_metric_that_tensorboard_cannot_draw_is_refused_before_training(tmp_path):
    model = tiny_classifier()
    model.compile("sgd", metrics=["f1_score"])
    before = model.get_weights()
    board = keras.callbacks.TensorBoard(tmp_path / "board", write_graph=False)
    with pytest.raises(ValueError, match=r"\['f1_score'\].*average=\"macro\""):
        fit(tmp_path, board, model=model)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_epochs_without_validation_have_nan(tmp_path):
    history = fit(tmp_path, validation_freq=2).history
    assert np.isnan(history["val_task_loss"]).tolist() == [True, False, True]
    assert {len(values) for values in history.values()} == {3}


def test_training_that_never_computes_the_lm_loss_has_no_column_for_it():
    model = tiny_classifier(auxiliary_loss=False)
    assert "lm_loss" not in model.training_log_names()
    model = tiny_classifier()
    model.compile("sgd", sampled_words=5)
    names = model.training_log_names()
    assert "lm_loss" in names
    assert "perplexity" not in names


def test_recorders_come_last_and_backups_after_them(tmp_path):
    model = tiny_classifier()
    given = [
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        BackupAndRestore(tmp_path),
        GammaDecay(),
        CompleteLogs(model.training_log_names),
    ]
    kinds = [type(callback).__name__ for callback in in_order(given)]
    assert kinds == [
        "GammaDecay",
        "CompleteLogs",
        "CSVLogger",
        "History",
        "BackupAndRestore",
    ]
    assert json.loads(json.dumps([math.nan]))[0] != 0  # What a backup must hold.
