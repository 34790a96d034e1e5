"""How recipes end: in one line and with a status that tells why."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tensorflow as tf

from recipes import common
from siatl_keras.runs.run_folder import RunFolder

REPOSITORY = Path(__file__).parents[2]
LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
runpy.run_module("recipes.finetune", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def ends(child, tmp_path, monkeypatch):
    """Runs a recipe's `main` in a process; returns its status and its errors."""

    def run(main, send=None):
        path = tmp_path / "errors"

        def recipe(pause):
            os.dup2(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY), 2)
            monkeypatch.setattr(sys, "stderr", os.fdopen(2, "w", buffering=1))
            monkeypatch.setattr(sys, "argv", ["recipe"])
            try:
                common.run(lambda: main(pause))
            except SystemExit as stop:
                if isinstance(stop.code, str):  # As Python itself does.
                    print(stop.code, file=sys.stderr)
                os._exit(stop.code if isinstance(stop.code, int) else 1)

        process = child(recipe)
        if send is not None:
            process.wait_for_pause()
            os.kill(process.pid, send)
        return process.end(), path.read_text()

    return run


def full(pause):
    with open("/dev/full", "w") as file:
        file.write("text")


def full_for_tensorflow(pause):
    with tf.io.gfile.GFile("/dev/full", "w") as file:
        file.write("text")


def full_while_searching(pause):
    try:
        full(pause)
    except OSError as error:
        raise RuntimeError("a trial failed") from error


def read_only(pause):
    Path("/proc/siatl").mkdir()


@pytest.mark.parametrize(
    ("main", "message"),
    [
        (full, "Error: No space left on device\n"),
        (full_for_tensorflow, "Error: No space left on device\n"),
        (full_while_searching, "Error: No space left on device\n"),
        (read_only, "Error: No such file or directory: /proc/siatl\n"),
    ],
)
def test_what_the_disk_refuses_ends_in_one_line(ends, main, message):
    assert ends(main) == (1, message)


def test_what_h5py_meets_again_while_closing_is_not_told_twice(ends, tmp_path):
    import h5py
    import numpy as np

    def main(pause):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        with h5py.File(tmp_path / "weights.h5", "w") as file:
            file["weights"] = np.zeros(10_000)

    assert ends(main) == (1, "Error: File too large\n")


def test_a_reader_that_leaves_is_no_error(ends, monkeypatch):
    def main(pause):
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, 1)
        monkeypatch.setattr(sys, "stdout", os.fdopen(1, "w"))
        print("a line", flush=True)

    assert ends(main) == (128 + signal.SIGPIPE, "")


def test_other_errors_keep_their_trace(ends):
    def main(pause):
        raise RuntimeError("a mistake of ours")

    status, errors = ends(main)
    assert status == 1 and "Traceback" in errors and "a mistake of ours" in errors


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_ctrl_c_and_sigterm_end_with_their_status_and_clean_up(
    ends, tmp_path, number, status
):
    def main(pause):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            pause()
            time.sleep(600)
        finally:
            (tmp_path / "cleaned").touch()

    expected = (status, "\nStopped. Start it again to resume.\n")
    assert ends(main, send=number) == expected
    assert (tmp_path / "cleaned").exists()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_stop_that_comes_while_an_object_is_destroyed_is_not_lost(
    ends, number, status
):
    class Dying:
        def __init__(self, pause):
            self.pause = pause

        def __del__(self):  # What is raised here gets nowhere.
            self.pause()
            time.sleep(600)

    def main(pause):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        Dying(pause)
        time.sleep(600)

    expected = (status, "\nStopped. Start it again to resume.\n")
    assert ends(main, send=number) == expected


def test_sigterm_in_an_epoch_and_a_full_disk_lose_no_epoch(small_experiment):
    """A real run is told to stop, goes on, and finds the disk full in the end."""
    output = small_experiment / "stopped"
    flags = [f"--flagfile={small_experiment}/flags/small.flags", "--epochs=500"]
    flags += ["--patience=500", f"--output={output}"]
    command = [sys.executable, "-m", "recipes.finetune", *flags]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    backup = output / "backup" / "backup.npz"
    while not backup.exists() and process.poll() is None:
        time.sleep(0.02)
    size = backup.stat().st_size
    with pytest.raises(ValueError, match="stopped is in use by another process"):
        RunFolder(output)
    process.terminate()
    errors = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 143
    assert errors.splitlines()[-1] == "Stopped. Start it again to resume."
    left = {path.name for path in output.rglob("*")}
    assert not any(name.startswith(".partial") for name in left)
    before = backup.read_bytes()

    limited = [sys.executable, "-c", LIMITED, str(size // 2), *flags]
    done = subprocess.run(limited, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Resuming after epoch" in done.stdout
    assert done.stderr.splitlines()[-1] == "Error: File too large"
    assert "Traceback" not in done.stderr
    assert backup.read_bytes() == before


def test_what_a_terminal_of_ascii_cannot_show_is_spelled_out(run_python):
    code = (
        "import sys; from recipes import common; sys.argv = ['recipe']; "
        r"common.run(lambda: print('\u03b3 falls'))"
    )
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert run_python(code=code, env=env) == "\\u03b3 falls\n"
