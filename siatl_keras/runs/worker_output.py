"""`worker_output`: of several workers one writes the run's folder, the chief.

The others do the same in a folder of their own, which goes away: what decides how a run
goes on is read from files, and so the same for all of them.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import tensorflow as tf

from siatl_keras.workers import gather, is_chief, place

Config = TypeVar("Config", bound=Any)


@contextlib.contextmanager
def worker_output(
    config: Config, strategy: tf.distribute.Strategy | None, verbose: int
) -> Iterator[tuple[Config, int]]:
    """Gives each worker its output, with what a stopped run has left in the chief's.

    Args:
        config: a run's, with an `output`.
        strategy: `None` for the default one.
        verbose: as for `keras.Model.fit`.

    Yields:
        `(config, verbose)`: as they are for the chief and for whoever is alone; for
        others a config with another `output`, and 0. None leaves before all are done.

    Raises:
        ValueError: if workers have other settings or files, or a backup to resume from
            that is not the chief's.
    """
    if place(strategy)[1] == 1:
        yield config, verbose
        return
    _compare(strategy, _settings(config), "the same flags")
    _compare(strategy, _sizes(config), "the same files under the same names")
    shared = Path(config.output)
    with contextlib.ExitStack() as stack:
        if not is_chief(strategy):
            own = stack.enter_context(tempfile.TemporaryDirectory(prefix="worker-"))
            if (shared / "backup").is_dir():
                shutil.copytree(shared / "backup", Path(own) / "backup")
            config, verbose = replace(config, output=own), 0
        expected = f"the chief's `output` {shared}, on a disk that all workers share,"
        _compare(strategy, _files(Path(config.output) / "backup"), expected)
        yield config, verbose
        # A worker that has ended would be missed.
        gather(strategy, [])


def _compare(strategy: Any, found: list[Any], expected: str) -> None:
    digest = zlib.crc32(json.dumps(found, default=str).encode())
    digests = [numbers[0] for numbers in gather(strategy, [digest])]
    others = [str(i) for i, each in enumerate(digests) if each != digests[0]]
    if others:
        raise ValueError(
            f"All workers must have {expected} and these have not what the chief "
            f"(worker 0) has: {', '.join(others)}. This one has: {str(found)[:500]}."
        )


def _settings(config: Any) -> list[Any]:
    return sorted((k, v) for k, v in asdict(config).items() if k != "output")


def _sizes(config: Any) -> list[Any]:
    """Lists the files that a config names, and their bytes."""
    found = []
    for name, value in _settings(config):
        for each in value if isinstance(value, tuple) else [value]:
            path = Path(each) if isinstance(each, str) and each else None
            if path and path.is_file():
                found.append((name, path.stat().st_size))
    return found


def _files(folder: Path) -> list[Any]:
    """Lists the files of a folder, and their bytes."""
    return sorted(
        (str(path.relative_to(folder)), path.stat().st_size)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    )
