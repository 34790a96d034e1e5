"""Fixtures that all tests share."""

import json
import os
import select
import signal
import subprocess
import sys
import traceback
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest
from hypothesis import settings

# No deadline: the first example traces a graph, which takes longer than all others.
settings.register_profile("fast", deadline=None, max_examples=20)
settings.register_profile("thorough", deadline=None, max_examples=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))

REPOSITORY = Path(__file__).parents[1]
# For programs that tests start, which may use `rigs`.
PYTHON_PATH = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")])
SHARED = REPOSITORY.parent / "shared"


def _shared(name):
    path = SHARED / name
    if not path.is_dir():
        pytest.skip(f"shared/{name} does not lie beside the repository")
    return path


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real data sets."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_parity():
    """The folder of the authors' reference numbers."""
    return _shared("parity")


@pytest.fixture(scope="session")
def run_python():
    """Runs Python in a new process; returns what it printed, fails with its errors."""

    def run(
        *arguments,
        code=None,
        timeout=900,
        check=True,
        env=None,
        stdin=None,
        cwd=REPOSITORY,
    ):
        command = [
            sys.executable,
            *(["-c", code] if code else []),
            *map(str, arguments),
        ]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": PYTHON_PATH, **(env or {})},
            input=stdin or "",
        )
        if check and done.returncode:
            pytest.fail(f"{command} failed:\n{done.stdout}\n{done.stderr}")
        return done if not check else done.stdout

    return run


@pytest.fixture(scope="session")
def start_program(tmp_path_factory):
    """Runs a script or module as `run_python` does, but seconds sooner.

    See `rigs/program_starter.py`. For what concerns how Python starts (its imports, its
    environment, its memory), `run_python` has the fresh process.
    """
    folder = tmp_path_factory.mktemp("programs")
    starter = subprocess.Popen(
        [sys.executable, REPOSITORY / "tests/rigs/program_starter.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": PYTHON_PATH},
        start_new_session=True,
    )

    def run(*arguments, timeout=900, check=True, stdin=""):
        arguments = [*map(str, arguments)]
        files = {name: folder / name for name in ("stdin", "stdout", "stderr")}
        files["stdin"].write_text(stdin, "utf-8")
        files["stdout"].write_text("")
        files["stderr"].write_text("")
        request = {"arguments": arguments, **{k: str(v) for k, v in files.items()}}
        starter.stdin.write(json.dumps(request) + "\n")
        starter.stdin.flush()
        if not select.select([starter.stdout], [], [], timeout)[0]:
            pytest.fail(f"{arguments} took more than {timeout} seconds")
        status = starter.stdout.readline()
        stdout, stderr = (files[n].read_text("utf-8") for n in ("stdout", "stderr"))
        done = subprocess.CompletedProcess(arguments, int(status), stdout, stderr)
        if check and done.returncode:
            pytest.fail(f"{arguments} failed:\n{done.stdout}\n{done.stderr}")
        return done if not check else done.stdout

    yield run
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()


class Child:
    """A process that is a copy of this one, which takes no time to start.

    Attributes:
        pid: its number.
    """

    def __init__(self, function):
        """Calls `function(pause)` in the child; `pause()` waits for `go_on`."""
        told, tell = os.pipe()
        wait, allow = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            try:
                os.close(allow)
                function(lambda: os.write(tell, b".") and os.read(wait, 1))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        os.close(tell)
        os.close(wait)
        self._told, self._allow = told, allow

    def wait_for_pause(self):
        """Returns when the child has come to `pause`."""
        assert os.read(self._told, 1) == b"."

    def go_on(self):
        """Lets the child go on."""
        os.write(self._allow, b".")

    def end(self):
        """Waits for the end; returns the exit status, that of a signal negative."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def child():
    """Starts a `Child`."""
    return Child
