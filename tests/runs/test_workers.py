"""Workers, each a real process, on this machine."""

import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("workers_script.py")
LOST, KILLED = 138, -9


def is_progress(line):
    return line.startswith(("epoch ", "validation perplexity", "preset:", "Resuming"))


@pytest.fixture(scope="module")
def found(run_python, tmp_path_factory):
    printed = run_python(SCRIPT, tmp_path_factory.mktemp("workers"))
    return json.loads(printed.splitlines()[-1])


@pytest.mark.slow
def test_all_stages_of_fine_tuning_on_two_workers_equal_one_process(found):
    assert len(found["fine_tuning"]) == 2
    for worker in found["fine_tuning"]:
        assert set(worker) == {"history", "test", "weights", "predict"}
        # Adam makes as much of a gradient's last digits as of its first.
        assert worker.pop("weights") < 5e-5
        assert max(worker.values()) < 1e-5, worker


@pytest.mark.slow
def test_the_chief_alone_writes_what_one_process_does(found):
    files = found["files"]
    # The lock is that of recipes.
    assert files["workers"] == files["one"]
    assert {"model", "metrics.json", "report.html", "tensorboard"} <= {*files["one"]}
    assert files["killed/run"] == files["alone/run"]
    assert not found["strangers"]


@pytest.mark.slow
def test_a_killed_worker_ends_the_others_in_a_line_and_all_resume(found):
    kill = found["kill"]
    assert kill["killed"] == [LOST, KILLED]
    assert kill["message"].startswith("Error: The worker 1 has ended")
    assert kill["message"].endswith("they resume after the last whole epoch.")
    assert kill["alone"] == [0] and kill["resumed"] == [0, 0]
    assert kill["resumes"]
    assert not any(map(is_progress, kill["said_by_others"]))
    # To the history and the weights of a run that was not killed.
    assert found["pretraining"] < 1e-5


@pytest.mark.slow
def test_a_worker_that_does_not_see_the_backup_keeps_all_from_beginning(found):
    assert found["kill"]["not_shared"] == [1, 1]
    for line in found["kill"]["refusals"]:
        assert "on a disk that all workers share" in line
