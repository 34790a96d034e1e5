"""`run_missing`: a grid's runs, one sub-process each, so that a crash loses one run."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tqdm

from siatl_keras.atomic import write_text

from .run_key import RunKey

LINES_OF_A_FAILURE = 5


@dataclass(frozen=True)
class FailedRun:
    """A run that did not finish.

    Attributes:
        key: which one.
        log: the file with all that it printed.
        last_lines: the last of it, or why it was not begun.
    """

    key: RunKey
    log: Path
    last_lines: str

    def __str__(self) -> str:
        return f"{self.key.folder} failed, see {self.log}:\n{self.last_lines}"


def run_missing(
    flags: Mapping[RunKey, str], runs: Path, command: Sequence[str]
) -> list[FailedRun]:
    """Does the runs that have not finished; a stopped one resumes where it was.

    Beside the folder of each run lie its flag file, `seed-0.flags`, and what it
    printed, `seed-0.log`. Interrupted, it ends the run under way with itself.

    Args:
        flags: the flag file of each run, without `--output`.
        runs: the folder of all runs. A finished one has a `metrics.json`.
        command: what to call with `--flagfile=` and `--output=`.

    Returns:
        the runs that failed; the others have finished.
    """
    missing = [key for key in flags if not _finished(runs, key)]
    failed = []
    with tqdm.tqdm(
        total=len(flags), initial=len(flags) - len(missing), unit="run"
    ) as progress:
        for key in missing:
            progress.set_description(str(key.folder))
            if failure := _run(key, flags[key], runs, command):
                failed.append(failure)
            progress.update()
    return failed


def beside(runs: Path, key: RunKey, ending: str) -> Path:
    """Names a file beside a run's folder, which is to hold nothing but the run.

    Args:
        runs: the folder of all runs.
        key: which run.
        ending: such as ".log".
    """
    folder = runs / key.folder
    return folder.with_name(folder.name + ending)


def _finished(runs: Path, key: RunKey) -> bool:
    return (runs / key.folder / "metrics.json").exists()


def _run(
    key: RunKey, flags: str, runs: Path, command: Sequence[str]
) -> FailedRun | None:
    flag_file, path = beside(runs, key, ".flags"), beside(runs, key, ".log")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as log:
        try:
            # The sub-process holds the lock too: one left over by a killed parent
            # keeps others out of its folder until it ends.
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return FailedRun(key, path, "Another process is doing this run.")
        if _finished(runs, key):  # By another process, in the meantime.
            return None
        log.truncate(0)
        write_text(flag_file, flags)
        done = subprocess.run(
            [*command, f"--flagfile={flag_file}", f"--output={runs / key.folder}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    if done.returncode == 0 and _finished(runs, key):
        return None
    lines = path.read_text("utf-8", errors="replace").splitlines()
    last = "\n".join(lines[-LINES_OF_A_FAILURE:])
    return FailedRun(key, path, f"{last}\n(exit status {done.returncode})")
