"""`RunResult`: what a finished run of an experiment has left in its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siatl_keras.evaluation.predictions import Predictions

from .run_key import RunKey


@dataclass(frozen=True)
class RunResult:
    """A run's figures.

    Attributes:
        key: which run it is.
        metrics: what its `metrics.json` holds.
        predictions: those on the test texts; `None` if the method wrote none.
    """

    key: RunKey
    metrics: dict[str, Any]
    predictions: Predictions | None = None

    @classmethod
    def read(cls, runs: Path, key: RunKey) -> RunResult:
        """Reads a run's folder.

        Args:
            runs: the folder of all runs.
            key: which run.

        Raises:
            ValueError: if the run was not tested, or a file cannot be read.
        """
        folder = runs / key.folder
        path = folder / "metrics.json"
        try:
            metrics = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise ValueError(
                f"{path}: not JSON ({error}). Delete the folder to have the run done "
                "again."
            ) from error
        if not {"test", "measures"} <= metrics.keys():
            raise ValueError(
                f"{path}: no figures on test texts. Give the data set's flag file a "
                "`--test`, and delete the folder to have the run done again."
            )
        predictions = folder / "predictions.tsv"
        return cls(
            key,
            metrics,
            Predictions.read(predictions) if predictions.exists() else None,
        )

    @property
    def measures(self) -> list[str]:
        """Names of the figures on the test texts, the main one first."""
        return self.metrics["measures"]

    def value(self, measure: str) -> float:
        """Returns a figure on the test texts.

        Args:
            measure: one of `measures`.
        """
        return self.metrics["test"][measure]

    @property
    def lm_perplexity(self) -> float | None:
        """The language model's perplexity on the validation texts, in the end."""
        return self.metrics.get("validation", {}).get("perplexity")

    @property
    def num_classes(self) -> int:
        """Number of classes or levels; 0 where there are none."""
        return len(self.metrics["test"].get("classes", ()))
