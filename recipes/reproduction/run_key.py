"""`RunKey`: which of an experiment's runs one is, and the folder that it has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_VARIANTS = re.compile(r"all-texts|texts-(?P<texts>\d+)|gamma-(?P<gamma>[\d.e+-]+)")


@dataclass(frozen=True)
class RunKey:
    """A method on a data set with a seed, as the flag file has it but for one thing.

    Attributes:
        dataset: name of the data set, that of its flag file.
        method: one of `METHOD_NAMES`.
        seed: of weights, dropout, shuffling, and of the choice of `texts`.
        texts: number of training texts; all if `None`.
        gamma: γ in every epoch; as the flag file has it if `None`.

    Example:
    >>> str(RunKey("scv2", "siatl", seed=3, texts=100).folder)
    'scv2/texts-100/siatl/seed-3'
    """

    dataset: str
    method: str
    seed: int
    texts: int | None = None
    gamma: float | None = None

    @property
    def variant(self) -> str:
        """What differs from the flag file, as a folder's name."""
        if self.texts is not None:
            return f"texts-{self.texts}"
        if self.gamma is not None:
            return f"gamma-{self.gamma}"
        return "all-texts"

    @property
    def folder(self) -> PurePosixPath:
        """The run's folder, in that of all runs."""
        return PurePosixPath(
            self.dataset, self.variant, self.method, f"seed-{self.seed}"
        )

    @classmethod
    def from_folder(cls, folder: PurePosixPath) -> RunKey | None:
        """Reads `folder` back; `None` if it is not one.

        Args:
            folder: a path in the folder of all runs.
        """
        if len(folder.parts) != 4:
            return None
        dataset, variant, method, last = folder.parts
        which = _VARIANTS.fullmatch(variant)
        seed = re.fullmatch(r"seed-(\d+)", last)
        if not which or not seed:
            return None
        return cls(
            dataset,
            method,
            int(seed[1]),
            texts=int(which["texts"]) if which["texts"] else None,
            gamma=float(which["gamma"]) if which["gamma"] else None,
        )


def finished_runs(runs: Path) -> list[RunKey]:
    """Lists the runs that have a `metrics.json`.

    Args:
        runs: the folder of all runs.
    """
    found = (
        RunKey.from_folder(PurePosixPath(path.parent.relative_to(runs).as_posix()))
        for path in sorted(runs.glob("*/*/*/*/metrics.json"))
    )
    return [key for key in found if key]
