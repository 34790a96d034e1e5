"""`RunFolder`: a run's output folder, in which nothing is lost or mixed up.

What it refuses has happened: a second run over the first, two at once, and a stopped
run continued under other flags, whose figures belong to neither.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from siatl_keras.atomic import sweep, write_json, write_text
from siatl_keras.locks import Lock

# Flags that a stopped run may be continued with: they do not change what it computes.
HARMLESS_FLAGS = ("devices", "output", "overwrite", "show_trace", "trials")
LOCK = ".lock"


def finish_run(folder: str | os.PathLike[str], metrics: dict[str, Any]) -> None:
    """Writes metrics.json, which marks a run as finished, and drops its backup.

    In this order: a run that is killed before can be finished from its backup.

    Args:
        folder: the run's folder.
        metrics: anything that JSON can hold.
    """
    write_json(Path(folder) / "metrics.json", metrics)
    shutil.rmtree(Path(folder) / "backup", ignore_errors=True)


class RunFolder:
    """Opens the folder of a run, new or to be resumed, and keeps other processes out.

    A run that has finished has a `metrics.json`; its folder is not written again unless
    `overwrite` is set. One without was stopped, and goes on under the same flags.

    Args:
        path: the folder.
        overwrite: whether an earlier run may be replaced.

    Attributes:
        path: the folder, which exists from now on.
        metrics_path: the file that marks the run as finished.
        tensorboard: the folder of its TensorBoard logs.
        backup: the folder of what a stopped run goes on from.

    Raises:
        ValueError: if `path` is a file, holds what is no run, holds a finished run and
            `overwrite` is false, or another process has it open.

    Example:
    >>> import tempfile
    >>> run = RunFolder(tempfile.mkdtemp())
    >>> run.write_flags("--epochs=3")
    >>> run.write_metrics({"accuracy": 0.9})
    >>> sorted(path.name for path in run.path.iterdir())
    ['.lock', 'flags.txt', 'metrics.json']
    """

    def __init__(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        self.path = Path(path)
        self.overwrite = overwrite
        self.flags_path = self.path / "flags.txt"
        self.metrics_path = self.path / "metrics.json"
        self.tensorboard = self.path / "tensorboard"
        self.backup = self.path / "backup"
        self._refuse_what_is_no_run()
        self._refuse_a_finished_run()
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = self._locked()
        self._refuse_a_finished_run()  # By another process, in the meantime.
        sweep(self.path)
        if self.metrics_path.exists():
            self._start_again()

    def write_flags(self, flags: str) -> None:
        """Writes the run's flags, to be used again with `--flagfile`.

        Args:
            flags: a flag a line, as in absl's flag files.

        Raises:
            ValueError: if a stopped run had other flags and `overwrite` is false.
        """
        if self.backup.exists() and self.flags_path.exists():
            before, now = map(
                _flags_that_matter, (self.flags_path.read_text("utf-8"), flags)
            )
            changed = sorted(
                name
                for name in before.keys() | now.keys()
                if before.get(name) != now.get(name)
            )
            if changed and not self.overwrite:
                differences = "; ".join(
                    f"--{name} was {before.get(name, 'not given')}, is "
                    f"{now.get(name, 'not given')}"
                    for name in changed
                )
                raise ValueError(
                    f"`output` {self.path} holds a stopped run, which goes on under "
                    f"the flags it had, see {self.flags_path}. {differences}. Choose "
                    "another folder, or pass `--overwrite` to start from the beginning."
                )
            if changed:
                self._start_again()
        write_text(self.flags_path, flags)

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Finishes the run, see `finish_run`.

        Args:
            metrics: anything that JSON can hold.
        """
        finish_run(self.path, metrics)

    def clear(self) -> None:
        """Removes all that an earlier run has left, and goes on keeping others out."""
        for path in self.path.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink()

    def _refuse_what_is_no_run(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"`output` {self.path} is a file. Choose a folder.")
        if self.flags_path.exists() or self.metrics_path.exists():
            return
        # A run killed while it wrote its flags has left a lock and a left-over.
        if self.path.exists() and any(
            path.name != LOCK and not path.name.startswith(".partial-")
            for path in self.path.iterdir()
        ):
            raise ValueError(
                f"`output` {self.path} holds files, but no run. Choose a folder that "
                "is new or empty."
            )

    def _refuse_a_finished_run(self) -> None:
        if self.metrics_path.exists() and not self.overwrite:
            raise ValueError(
                f"`output` {self.path} holds a finished run. Choose another folder, or "
                "pass `--overwrite` to do it again."
            )

    def _locked(self) -> Lock:
        path = self.path / LOCK
        path.touch()
        try:
            return Lock(path)
        except BlockingIOError:
            raise ValueError(
                f"`output` {self.path} is in use by another process. Wait until it "
                "ends, or choose another folder."
            ) from None

    def _start_again(self) -> None:
        # Else training would resume from, and TensorBoard would show, the earlier run.
        self.metrics_path.unlink(missing_ok=True)
        shutil.rmtree(self.backup, ignore_errors=True)
        shutil.rmtree(self.tensorboard, ignore_errors=True)


def _flags_that_matter(flags: str) -> dict[str, str]:
    """Returns the values of flags that change what a run computes, by name."""
    found: dict[str, str] = {}
    for line in flags.splitlines():
        name, _, value = line.strip().lstrip("-").partition("=")
        if not value and name.startswith("no"):
            name, value = name.removeprefix("no"), "off"
        if name and name not in HARMLESS_FLAGS:
            value = value or "on"
            # A flag that is given more than once has several values.
            found[name] = f"{found[name]},{value}" if name in found else value
    return found
