import json
import os
import signal

import pytest

from siatl_keras.runs.run_folder import RunFolder

FLAGS = "--method=siatl\n--seed=1\n"


def stopped_run(path):
    run = RunFolder(path)
    run.write_flags(FLAGS)
    for folder in (run.backup, run.tensorboard):
        folder.mkdir()
        (folder / "file").write_text("of the first run")
    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def finished_run(path):
    run = stopped_run(path)
    run.write_metrics({"macro_f1": 0.7})
    return run


def test_a_new_folder_gets_flags_and_metrics(tmp_path):
    run = RunFolder(tmp_path / "runs" / "new")
    run.write_flags(FLAGS)
    run.write_metrics({"label": "χ", "macro_f1": 0.7})
    assert (run.path / "flags.txt").read_text() == FLAGS
    metrics = json.loads((run.path / "metrics.json").read_text("utf-8"))
    assert metrics == {"label": "χ", "macro_f1": 0.7}
    assert names(run.path) == [".lock", "flags.txt", "metrics.json"]


def test_an_empty_folder_is_taken(tmp_path):
    assert RunFolder(tmp_path).path == tmp_path


def test_a_finished_run_is_refused_and_left_as_it_was(tmp_path):
    run = finished_run(tmp_path / "run")
    with pytest.raises(ValueError, match=r"run holds a finished run.*--overwrite"):
        RunFolder(run.path)
    assert run.metrics_path.exists()


def test_overwriting_a_finished_run_drops_its_backup_and_logs(tmp_path):
    finished_run(tmp_path / "run")
    run = RunFolder(tmp_path / "run", overwrite=True)
    assert names(run.path) == [".lock", "flags.txt"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_stopped_run_goes_on_under_the_same_flags(tmp_path, overwrite):
    stopped_run(tmp_path / "run")
    run = RunFolder(tmp_path / "run", overwrite)
    run.write_flags("--seed=1\n--method=siatl\n--devices=cpu\n--overwrite\n")
    assert (run.backup / "file").exists()
    assert (run.tensorboard / "file").exists()


def test_a_stopped_run_does_not_go_on_under_other_flags(tmp_path):
    run = RunFolder(stopped_run(tmp_path / "run").path)
    with pytest.raises(
        ValueError, match=r"flags\.txt\. --method was siatl, is plain\. Choose"
    ):
        run.write_flags("--method=plain\n--seed=1\n")
    assert (run.backup / "file").exists()
    assert (run.path / "flags.txt").read_text() == FLAGS


def test_overwriting_a_stopped_run_of_other_flags_begins_anew(tmp_path):
    stopped_run(tmp_path / "run")
    run = RunFolder(tmp_path / "run", overwrite=True)
    run.write_flags("--method=plain\n")
    assert not run.backup.exists()
    assert not run.tensorboard.exists()
    assert (run.path / "flags.txt").read_text() == "--method=plain\n"


def test_a_run_that_failed_before_training_may_change_its_flags(tmp_path):
    RunFolder(tmp_path / "run").write_flags("--train=typo.tsv\n")
    RunFolder(tmp_path / "run").write_flags("--train=right.tsv\n")
    assert (tmp_path / "run" / "flags.txt").read_text() == "--train=right.tsv\n"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_other_files_is_never_written(tmp_path, overwrite):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="holds files, but no run"):
        RunFolder(tmp_path, overwrite)


def test_a_file_is_refused(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(ValueError, match="is a file"):
        RunFolder(tmp_path / "run")


def test_finishing_a_run_drops_its_backup(tmp_path):
    run = finished_run(tmp_path / "run")
    assert not run.backup.exists()
    assert (run.tensorboard / "file").exists()


def test_the_backup_stays_until_the_metrics_are_there(tmp_path):
    run = stopped_run(tmp_path / "run")
    with pytest.raises(TypeError):
        run.write_metrics({"set": {1}})
    assert (run.backup / "file").exists()


def test_a_kill_while_flags_are_first_written_leaves_a_folder_of_use(
    tmp_path, child, monkeypatch
):
    run = tmp_path / "run"

    def killed(pause):
        monkeypatch.setattr(os, "fsync", lambda _: os.kill(os.getpid(), signal.SIGKILL))
        RunFolder(run).write_flags(FLAGS)

    assert child(killed).end() == -signal.SIGKILL
    assert not (run / "flags.txt").exists() and list(run.glob(".partial-*"))
    RunFolder(run).write_flags(FLAGS)
    assert names(run) == [".lock", "flags.txt"]


def test_a_lock_alone_does_not_make_other_files_a_run(tmp_path):
    (tmp_path / ".lock").write_text("")
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="holds files, but no run"):
        RunFolder(tmp_path)


def test_a_run_is_one_process_s_until_that_is_killed(tmp_path, child):
    def holding(pause):
        run = RunFolder(tmp_path / "run")
        run.write_flags(FLAGS)
        pause()

    process = child(holding)
    process.wait_for_pause()
    for overwrite in (False, True):
        with pytest.raises(ValueError, match=r"run is in use by another process\."):
            RunFolder(tmp_path / "run", overwrite)
    os.kill(process.pid, signal.SIGKILL)
    process.end()
    RunFolder(tmp_path / "run").write_flags(FLAGS)


def test_clearing_leaves_nothing_but_the_lock(tmp_path):
    run = stopped_run(tmp_path / "run")
    run.clear()
    assert names(run.path) == [".lock"]
    with pytest.raises(ValueError, match="in use"):
        RunFolder(run.path)


def test_the_umask_is_respected(tmp_path):
    before = os.umask(0o077)
    try:
        run = stopped_run(tmp_path / "run")
    finally:
        os.umask(before)
    modes = {p.name: p.stat().st_mode & 0o777 for p in (run.path, run.flags_path)}
    assert modes == {"run": 0o700, "flags.txt": 0o600}
