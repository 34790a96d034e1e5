import json

import pytest

from siatl_keras.run_folder import RunFolder

FLAGS = "--method=siatl\n--seed=1\n"


def stopped_run(path):
    run = RunFolder(path)
    run.write_flags(FLAGS)
    for folder in (run.backup, run.tensorboard):
        folder.mkdir()
        (folder / "file").write_text("of the first run")
    return run


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
    assert len(list(run.path.iterdir())) == 2


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
    assert [path.name for path in run.path.iterdir()] == ["flags.txt"]


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
        ValueError, match=r"Different now: --method=plain --method=siatl\."
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
