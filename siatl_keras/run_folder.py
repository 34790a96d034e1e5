"""A run's output folder: what is in it, and that nothing in it is lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from siatl_keras.atomic import write_json, write_text


class RunFolder:
    """Opens the folder of a run, new or to be resumed.

    A run that has finished has a `metrics.json`; its folder is not written again unless
    `overwrite` is set. One without was stopped, and goes on.

    Args:
        path: the folder.
        overwrite: whether a finished run is done again.

    Attributes:
        path: the folder, which exists from now on.

    Raises:
        ValueError: if the run has finished and `overwrite` is false.
    """

    def __init__(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        self.path = Path(path)
        self.metrics_path = self.path / "metrics.json"
        if self.metrics_path.exists():
            if not overwrite:
                raise ValueError(
                    f"`output` {self.path} holds a finished run. Choose another folder, "
                    "or pass `--overwrite` to do it again."
                )
            self.metrics_path.unlink()
        self.path.mkdir(parents=True, exist_ok=True)

    def write_flags(self, flags: str) -> None:
        """Writes the run's flags, to be used again with `--flagfile`."""
        write_text(self.path / "flags.txt", flags)

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Writes metrics.json, which marks the run as finished."""
        write_json(self.metrics_path, metrics)
