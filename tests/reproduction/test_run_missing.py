import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from recipes.reproduction.run_key import RunKey, finished_runs
from recipes.reproduction.run_missing import beside, run_missing

SHORT_RUN = [sys.executable, str(Path(__file__).with_name("short_run.py"))]
KEYS = [RunKey("scv2", "siatl", seed) for seed in range(3)]
FIRST, SECOND, THIRD = KEYS
INTERRUPTED = """
import sys
from pathlib import Path
from recipes.reproduction.run_key import RunKey
from recipes.reproduction.run_missing import run_missing
runs, *command = sys.argv[1:]
run_missing({RunKey("scv2", "siatl", 0): "slow"}, Path(runs), command)
"""


def wait_for(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def _listen_to_interrupts():
    # A shell's background jobs, such as these tests may be, ignore them.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_run_that_fails_does_not_keep_the_others_from_running(tmp_path):
    flags = {FIRST: "", SECOND: "crash", THIRD: ""}
    (failure,) = run_missing(flags, tmp_path, SHORT_RUN)
    assert failure.key == SECOND
    assert "seed-1 failed, see" in str(failure)
    assert "it broke here" in str(failure) and "exit status 1" in str(failure)
    assert failure.log.read_text() == "began\nit broke here\n"
    assert finished_runs(tmp_path) == [FIRST, THIRD]


def test_a_finished_run_is_not_done_again_and_a_failed_one_is(tmp_path):
    run_missing({FIRST: "", SECOND: "crash"}, tmp_path, SHORT_RUN)
    (tmp_path / FIRST.folder / "metrics.json").write_text("kept")
    assert run_missing({FIRST: "", SECOND: ""}, tmp_path, SHORT_RUN) == []
    assert (tmp_path / FIRST.folder / "metrics.json").read_text() == "kept"
    assert finished_runs(tmp_path) == [FIRST, SECOND]


def test_a_run_without_figures_has_failed_whatever_its_exit_status(tmp_path):
    (failure,) = run_missing({FIRST: "no figures"}, tmp_path, SHORT_RUN)
    assert "exit status 0" in str(failure)


def test_only_the_last_lines_of_a_log_are_told(tmp_path):
    code = "print(*range(1000), sep='\\n'); raise SystemExit(3)"
    (failure,) = run_missing({FIRST: ""}, tmp_path, [sys.executable, "-c", code])
    assert failure.last_lines.splitlines()[0] == "995"
    assert len(failure.log.read_text().splitlines()) == 1000


def test_progress_counts_what_was_there_already(tmp_path, capsys):
    run_missing({FIRST: ""}, tmp_path, SHORT_RUN)
    capsys.readouterr()
    run_missing({FIRST: "", SECOND: ""}, tmp_path, SHORT_RUN)
    shown = capsys.readouterr().err
    assert "1/2" in shown and "2/2" in shown and "seed-1" in shown


def test_interrupted_it_ends_its_run_and_goes_on_when_started_again(tmp_path):
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path), *SHORT_RUN]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, preexec_fn=_listen_to_interrupts
    )
    began = tmp_path / FIRST.folder / "began"
    wait_for(began.exists)
    # To the parent alone: a terminal would send it to both.
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode and "KeyboardInterrupt" in said
    # Had the run survived, its lock would keep this one out.
    assert run_missing({FIRST: ""}, tmp_path, SHORT_RUN) == []
    assert finished_runs(tmp_path) == [FIRST]


def test_a_run_that_another_process_does_is_left_to_it(tmp_path):
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path), *SHORT_RUN]
    process = subprocess.Popen(
        command, stderr=subprocess.DEVNULL, start_new_session=True
    )
    began = tmp_path / FIRST.folder / "began"
    wait_for(began.exists)
    process.kill()  # The run itself is left over.
    process.wait()
    (failure,) = run_missing({FIRST: ""}, tmp_path, SHORT_RUN)
    assert "Another process" in str(failure)
    assert not (tmp_path / FIRST.folder / "metrics.json").exists()
    os.killpg(process.pid, signal.SIGKILL)


def test_flags_and_log_lie_beside_the_run(tmp_path):
    run_missing({FIRST: "--seed=0\n"}, tmp_path, SHORT_RUN)
    flags, log = (beside(tmp_path, FIRST, end) for end in (".flags", ".log"))
    assert flags.parent == log.parent == (tmp_path / FIRST.folder).parent
    assert flags.read_text() == "--seed=0\n" and log.read_text() == "began\n"
