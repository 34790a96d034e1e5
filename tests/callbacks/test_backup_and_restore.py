import json
import signal
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks.robustness.outcomes import mutated, tally
from rigs.small_model import small_data, small_model
from siatl_keras.callbacks import (
    BackupAndRestore,
    BestWeights,
    SequentialUnfreezing,
    TrainingDivergedError,
    WeightAveraging,
)
from siatl_keras.callbacks.training_state import load_training_state
from siatl_keras.plans import stages

SCRIPT = Path(__file__).with_name("resume_script.py")


@pytest.mark.parametrize("own_optimizers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_run_killed_in_stage_2_ends_as_if_it_had_not_been(
    tmp_path, start_program, own_optimizers
):
    backup, result = tmp_path / "backup", tmp_path / "result.npz"
    killed = start_program(SCRIPT, backup, result, 3, own_optimizers, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert "Resuming after epoch 2" in start_program(
        SCRIPT, backup, result, 0, own_optimizers
    )
    with np.load(result) as arrays:
        names = [n.removeprefix("whole/") for n in arrays if n.startswith("whole/")]
        whole, resumed = (
            {name: arrays[f"{run}/{name}"] for name in names}
            for run in ("whole", "resumed")
        )
    # As text: a NaN, where stage 1 computes no LM loss, equals none.
    assert str(whole.pop("state")) == str(resumed.pop("state"))
    for name, expected in whole.items():
        np.testing.assert_allclose(expected, resumed[name], atol=1e-6)
    assert not backup.exists()


def fit(directory, *callbacks, model=None, epochs=3, **kwargs):
    model = model or small_model()
    x, y, sample_weight = small_data(8)
    history = model.fit(
        x,
        y,
        sample_weight=sample_weight,
        shuffle=False,
        batch_size=4,
        epochs=epochs,
        verbose=0,
        callbacks=[BackupAndRestore(directory, **kwargs), *callbacks],
    )
    return model, history


class Interrupt(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


def interrupted(directory, epoch, *callbacks, **kwargs):
    with pytest.raises(KeyboardInterrupt):
        fit(directory, *callbacks, Interrupt(epoch), **kwargs)


def test_a_kill_during_a_backup_leaves_the_one_before(tmp_path, monkeypatch):
    savez = np.savez

    def cut_off(file, **arrays):
        if json.loads(str(arrays["state"]))["epoch"] == 2:
            file.write(b"half")
            raise KeyboardInterrupt
        savez(file, **arrays)

    monkeypatch.setattr(np, "savez", cut_off)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path)
    monkeypatch.undo()
    _, history = fit(tmp_path)
    _, expected = fit(tmp_path / "other")
    assert history.epoch == [0, 1, 2]
    np.testing.assert_allclose(history.history["loss"], expected.history["loss"], 1e-5)


def keras_early_stopping():
    return keras.callbacks.EarlyStopping(
        "task_loss", mode="max", patience=1, restore_best_weights=True
    )


@pytest.mark.parametrize(
    "early",
    [keras_early_stopping, lambda: BestWeights("task_loss", 1, "max")],
    ids=["Keras's", "ours"],
)
def test_a_run_that_early_stopping_had_ended_does_not_go_on(tmp_path, early):

    class KilledAtTheEnd(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, KilledAtTheEnd(), early(), epochs=9)
    model, history = fit(tmp_path, early(), epochs=9)
    expected, _ = fit(tmp_path / "other", early(), epochs=9)
    assert history.epoch == [0, 1]
    for mine, theirs in zip(expected.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_its_place_among_the_callbacks_does_not_matter(tmp_path):
    class Later(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["later"] = epoch

    interrupted(tmp_path, 2, Later())
    _, history = fit(tmp_path, Later())
    assert history.history["later"] == [0, 1, 2]


def test_it_tells_how_many_epochs_a_backup_has_behind_it(tmp_path):
    assert BackupAndRestore(tmp_path).epochs_done == 0
    interrupted(tmp_path, 2)
    assert BackupAndRestore(tmp_path).epochs_done == 2


def test_the_next_fit_starts_at_its_own_first_epoch(tmp_path):
    interrupted(tmp_path, 2)
    model, _ = fit(tmp_path)
    _, history = fit(tmp_path, model=model)
    assert history.epoch == [0, 1, 2]


def test_the_backup_stays_on_demand(tmp_path):
    fit(tmp_path, delete_checkpoint=False)
    assert [path.name for path in tmp_path.iterdir()] == ["backup.npz"]


def test_it_works_with_loss_scaling(tmp_path):
    def model():
        keras.config.set_dtype_policy("mixed_float16")
        try:
            return small_model()
        finally:
            keras.config.set_dtype_policy("float32")

    def unfreezing():
        return SequentialUnfreezing(stages(2, 3))

    interrupted(tmp_path, 2, unfreezing(), model=model())
    _, history = fit(tmp_path, unfreezing(), model=model())
    _, expected = fit(tmp_path / "other", unfreezing(), model=model())
    assert history.history == expected.history


def test_a_backup_of_another_model_is_an_error(tmp_path):
    interrupted(tmp_path, 1)
    with pytest.raises(ValueError, match="optimizer has"):
        fit(tmp_path, model=small_model(keras.optimizers.SGD(0.1)))


def test_a_broken_backup_is_an_error(tmp_path):
    (tmp_path / "backup.npz").write_bytes(b"PK no archive")
    with pytest.raises(ValueError, match="not a whole backup"):
        fit(tmp_path)


def test_a_damaged_backup_is_refused_by_name_or_restored(tmp_path):
    tries = 60
    interrupted(tmp_path, 1)
    path = tmp_path / "backup.npz"
    whole = path.read_bytes()
    generator = np.random.default_rng(4)
    target = small_model()
    damaged = tmp_path / "damaged.npz"

    def restore():
        load_training_state(damaged, target, [keras.callbacks.History()])

    def damage():
        for number in range(tries):
            damaged.write_bytes(mutated(whole, generator))
            yield f"{number}", restore

    result = tally(damage())
    assert result["faults"] == [] and result["slow"] == {}
    assert result["refused"] > tries // 3


def with_state(path, change):
    """Rewrites a backup, its JSON text changed."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    state = json.loads(str(arrays["state"]))
    change(state)
    np.savez(path, **{**arrays, "state": np.array(json.dumps(state))})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("epoch"), "`epoch`: int expected. Found: None"),
        (lambda state: state.update(epoch=-1), "`epoch`: int expected. Found: -1"),
        (lambda state: state.update(epoch="3"), "`epoch`: int expected. Found: 3"),
        (lambda state: state.update(callbacks=[]), "`callbacks`: dict expected"),
        (lambda state: state.pop("stopped"), "`stopped`: bool expected"),
        (lambda state: state.update(numpy_random=["x"]), "cannot be loaded"),
        (lambda state: state.update(python_random=[3, 1, 2]), "cannot be loaded"),
    ],
)
def test_a_backup_whose_state_is_wrong_names_the_field(change, message, tmp_path):
    interrupted(tmp_path, 1)
    with_state(tmp_path / "backup.npz", change)
    with pytest.raises(ValueError, match=f"backup.npz: {message}"):
        fit(tmp_path)


def test_an_array_that_claims_more_numbers_than_there_are_is_not_allocated(tmp_path):
    interrupted(tmp_path, 1)
    path = tmp_path / "backup.npz"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }"
    length = len(header).to_bytes(2, "little")
    members["model/0.npy"] = b"\x93NUMPY\x01\x00" + length + header
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(ValueError, match="model/0.npy has the shape .1000000000000"):
        fit(tmp_path)


def test_a_backup_holds_no_pickle(tmp_path):
    interrupted(tmp_path, 1)
    with np.load(tmp_path / "backup.npz", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


def test_random_numbers_go_on(tmp_path):
    import random

    class Draw(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["python"], logs["numpy"] = random.random(), np.random.random()

    keras.utils.set_random_seed(5)
    interrupted(tmp_path, 2, Draw())
    keras.utils.set_random_seed(6)
    _, history = fit(tmp_path, Draw())
    _, expected = fit(tmp_path / "other", Draw())
    assert history.history["python"] == expected.history["python"]
    assert history.history["numpy"] == expected.history["numpy"]


class Diverge(keras.callbacks.Callback):
    """Makes a weight, or a log, other than finite in an epoch."""

    def __init__(self, epoch, what):
        super().__init__()
        self.epoch = epoch
        self.what = what

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs_begun = epoch + 1

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch and self.what == "weight":
            weight = self.model.trainable_variables[0]
            weight.assign(weight.numpy() * np.inf)
        elif epoch == self.epoch:
            logs[self.what] = float("nan")


@pytest.mark.parametrize(
    ("what", "averaging"),
    [
        ("weight", []),
        ("weight", [WeightAveraging(0.5)]),
        ("loss", []),
        ("val_loss", []),
    ],
)
def test_training_that_diverges_ends_with_the_last_finite_weights(
    tmp_path, capsys, what, averaging
):
    diverge = Diverge(2, what)
    model, history = fit(tmp_path / "a", *averaging, diverge, epochs=9)
    expected, _ = fit(tmp_path / "b", *averaging, epochs=2)
    assert diverge.epochs_begun == 3
    for mine, theirs in zip(expected.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
    said = capsys.readouterr().out
    assert "Training diverged in epoch 3" in said and "weights of epoch 2" in said


def test_training_that_has_diverged_does_not_begin_again(tmp_path):
    model, _ = fit(tmp_path, Diverge(2, "weight"), epochs=9, delete_checkpoint=False)
    diverge = Diverge(2, "weight")
    again, history = fit(tmp_path, diverge, epochs=9)
    assert not hasattr(diverge, "epochs_begun")
    assert history.epoch == [0, 1, 2]
    for mine, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("what", ["weight", "loss"])
def test_training_without_a_finite_epoch_is_an_error_and_leaves_no_backup(
    tmp_path, what
):
    with pytest.raises(TrainingDivergedError, match="diverged in epoch 1, the first: "):
        fit(tmp_path / "backup", Diverge(0, what))
    assert not (tmp_path / "backup").exists()


def test_other_logs_may_be_absent_from_an_epoch(tmp_path):
    _, history = fit(tmp_path, Diverge(0, "lm_loss"))
    assert history.epoch == [0, 1, 2]


def test_a_backup_that_a_killed_process_left_half_is_swept(tmp_path):
    left = tmp_path / ".partial-0123456789ab.npz"
    left.write_bytes(b"half")
    fit(tmp_path, delete_checkpoint=False)
    assert [path.name for path in tmp_path.iterdir()] == ["backup.npz"]
