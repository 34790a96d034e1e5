"""`RunFolder`: a run's output folder, in which nothing is lost or mixed up.

What it refuses has happened: a second run over the first, and a stopped run continued
under other flags, whose figures belong to neither.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from siatl_keras.atomic import write_json, write_text

# Flags that a stopped run may be continued with: they do not change what it computes.
HARMLESS_FLAGS = ("devices", "output", "overwrite", "show_trace", "trials")


class RunFolder:
    """Opens the folder of a run, new or to be resumed.

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
        ValueError: if `path` is a file, holds what is no run, or holds a finished run
            and `overwrite` is false.

    Example:
    >>> import tempfile
    >>> run = RunFolder(tempfile.mkdtemp())
    >>> run.write_flags("--epochs=3")
    >>> run.write_metrics({"accuracy": 0.9})
    >>> sorted(path.name for path in run.path.iterdir())
    ['flags.txt', 'metrics.json']
    """

    def __init__(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        self.path = Path(path)
        self.overwrite = overwrite
        self.flags_path = self.path / "flags.txt"
        self.metrics_path = self.path / "metrics.json"
        self.tensorboard = self.path / "tensorboard"
        self.backup = self.path / "backup"
        self._refuse_what_is_no_run()
        if self.metrics_path.exists():
            if not overwrite:
                raise ValueError(
                    f"`output` {self.path} holds a finished run. Choose another "
                    "folder, or pass `--overwrite` to do it again."
                )
            self._begin_anew()
        self.path.mkdir(parents=True, exist_ok=True)

    def write_flags(self, flags: str) -> None:
        """Writes the run's flags, to be used again with `--flagfile`.

        Args:
            flags: a flag a line, as in absl's flag files.

        Raises:
            ValueError: if a stopped run had other flags and `overwrite` is false.
        """
        if self.backup.exists() and self.flags_path.exists():
            before = _lines_that_matter(self.flags_path.read_text("utf-8"))
            changed = sorted(before ^ _lines_that_matter(flags))
            if changed and not self.overwrite:
                raise ValueError(
                    f"`output` {self.path} holds a stopped run, which goes on under "
                    f"the flags it had, see {self.flags_path}. Different now: "
                    f"{' '.join(changed)}. Choose another folder, or pass "
                    "`--overwrite` to begin anew."
                )
            if changed:
                self._begin_anew()
        write_text(self.flags_path, flags)

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Writes metrics.json, which marks the run as finished.

        Args:
            metrics: anything that JSON can hold.
        """
        write_json(self.metrics_path, metrics)

    def _refuse_what_is_no_run(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"`output` {self.path} is a file. Choose a folder.")
        ours = self.flags_path.exists() or self.metrics_path.exists()
        if self.path.exists() and any(self.path.iterdir()) and not ours:
            raise ValueError(
                f"`output` {self.path} holds files, but no run. Choose a folder that "
                "is new or empty."
            )

    def _begin_anew(self) -> None:
        # Else training would resume from, and TensorBoard would show, the earlier run.
        self.metrics_path.unlink(missing_ok=True)
        shutil.rmtree(self.backup, ignore_errors=True)
        shutil.rmtree(self.tensorboard, ignore_errors=True)


def _lines_that_matter(flags: str) -> set[str]:
    lines = {line.strip() for line in flags.splitlines()} - {""}
    return {
        line
        for line in lines
        if line.lstrip("-").removeprefix("no").split("=")[0] not in HARMLESS_FLAGS
    }
