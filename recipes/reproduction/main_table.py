"""`MainTable`: methods against data sets, as in the paper's table 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from siatl_keras.evaluation.measures import MEASURES

from .paired_bootstrap import PairedDifference, paired_bootstrap
from .run_result import RunResult
from .spread import Spread

SIGNIFICANT = 0.05
# Measures of a data set.
SHOWN = 2


@dataclass(frozen=True)
class Cell:
    """A method on a data set.

    Attributes:
        values: the data set's first two measures over its seeds, by name.
        difference: of the first from the reference's; `None` for the reference itself,
            and where predictions are missing.
    """

    values: dict[str, Spread]
    difference: PairedDifference | None

    def to_dict(self) -> dict[str, Any]:
        """Returns the figures for JSON, by name."""
        spreads = {name: asdict(spread) for name, spread in self.values.items()}
        difference = asdict(self.difference) if self.difference else None
        return {**spreads, "difference": difference}


@dataclass(frozen=True)
class MainTable:
    """Figures of all methods on all data sets.

    Attributes:
        methods: the rows, those that have a figure.
        datasets: the columns, likewise.
        reference: the method that all others are compared with.
        cells: by data set and method; methods that were not run are absent.
    """

    methods: list[str]
    datasets: list[str]
    reference: str
    cells: dict[tuple[str, str], Cell]

    @classmethod
    def of(
        cls,
        results: Sequence[RunResult],
        methods: Sequence[str],
        reference: str = "siatl",
    ) -> MainTable:
        """Works the table out from runs on all training texts.

        Args:
            results: the runs; those on some texts, or with a γ of their own, are left
                out.
            methods: all methods, in the order of the rows.
            reference: the method to compare with.

        Raises:
            ValueError: if runs on one data set had different test texts, or different
                measures.
        """
        runs: dict[tuple[str, str], list[RunResult]] = {}
        for result in results:
            if result.key.variant == "all-texts":
                place = (result.key.dataset, result.key.method)
                runs.setdefault(place, []).append(result)
        datasets = list(dict.fromkeys(dataset for dataset, _ in runs))
        cells = {
            (dataset, method): Cell(
                {
                    name: Spread.of(result.value(name) for result in found)
                    for name in _measures_of(dataset, runs)
                },
                None
                if method == reference
                else _compare(found, runs.get((dataset, reference), [])),
            )
            for (dataset, method), found in runs.items()
        }
        present = {method for _, method in runs}
        return cls([m for m in methods if m in present], datasets, reference, cells)

    def to_dict(self) -> dict[str, Any]:
        """Returns the table for JSON."""
        return {
            "reference": self.reference,
            "datasets": {
                dataset: {
                    method: self.cells[dataset, method].to_dict()
                    for method in self.methods
                    if (dataset, method) in self.cells
                }
                for dataset in self.datasets
            },
        }

    def to_markdown(self) -> str:
        """Returns the table, and below it the differences from the reference."""
        columns = [
            (dataset, name)
            for dataset in self.datasets
            for name in self.measures(dataset)
        ]
        titles = [f"{dataset} {MEASURES[name].title}" for dataset, name in columns]
        mains = {MEASURES[self.measures(dataset)[0]].title for dataset in self.datasets}
        main = mains.pop() if len(mains) == 1 else "the first figure of a data set"
        lines = [
            _row(["", *titles]),
            "|---" * (len(columns) + 1) + "|",
        ]
        for method in self.methods:
            cells = [self._cell(dataset, method, name) for dataset, name in columns]
            lines.append(_row([method, *cells]))
        lines += [
            "",
            "Test figures, mean ± standard deviation over seeds; the best mean in "
            f"bold. †: {main} differs from that of {self.reference}, p < "
            f"{SIGNIFICANT} (paired bootstrap over the test texts).",
            "",
            _row(
                [
                    "data set",
                    "method",
                    "seeds",
                    f"{main} minus {self.reference}'s",
                    "95 % interval",
                    "p",
                ]
            ),
            "|---" * 6 + "|",
        ]
        for dataset in self.datasets:
            for method in self.methods:
                if (dataset, method) in self.cells:
                    lines.append(self._comparison(dataset, method))
        return "\n".join(lines) + "\n"

    def measures(self, dataset: str) -> list[str]:
        """Names the figures shown of a data set.

        Args:
            dataset: one of `datasets`.
        """
        return list(next(c.values for (d, _), c in self.cells.items() if d == dataset))

    def _cell(self, dataset: str, method: str, name: str) -> str:
        cell = self.cells.get((dataset, method))
        if cell is None:
            return "–"
        spread = cell.values[name]
        best = (min if MEASURES[name].lower_is_better else max)(
            other.values[name].mean
            for (its_dataset, _), other in self.cells.items()
            if its_dataset == dataset
        )
        text = f"**{spread}**" if spread.mean == best else str(spread)
        difference = cell.difference if name == self.measures(dataset)[0] else None
        return text + (" †" if difference and difference.p_value < SIGNIFICANT else "")

    def _comparison(self, dataset: str, method: str) -> str:
        cell = self.cells[dataset, method]
        figures = ["–", "–", "–"]
        if (found := cell.difference) is not None:
            figures = [
                f"{found.difference:+.3f}",
                f"{found.low:+.3f} to {found.high:+.3f}",
                f"{found.p_value:.4f}",
            ]
        seeds = next(iter(cell.values.values())).count
        return _row([dataset, method, str(seeds), *figures])


def _measures_of(dataset: str, runs: dict[tuple[str, str], list[RunResult]]) -> Any:
    """Returns the names of a data set's first two measures."""
    found = {
        tuple(result.measures[:SHOWN]): result.key.folder
        for (its_dataset, _), results in runs.items()
        for result in results
        if its_dataset == dataset
    }
    if len(found) > 1:
        raise ValueError(
            f"The runs {' and '.join(map(str, found.values()))} have different "
            f"figures: {' and '.join(map(str, found))}. Delete those of another task."
        )
    return next(iter(found))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _compare(
    runs: Sequence[RunResult], reference: Sequence[RunResult]
) -> PairedDifference | None:
    everyone = [result.predictions for result in (*runs, *reference)]
    predictions = [one for one in everyone if one is not None]
    if not reference or len(predictions) < len(everyone):
        return None
    targets = predictions[0].targets
    for result, one in zip((*runs, *reference), predictions, strict=True):
        if not np.array_equal(one.targets, targets):
            raise ValueError(
                f"The run {result.key.folder} was tested on other texts than "
                f"{runs[0].key.folder}: the labels in their predictions.tsv differ. "
                "Delete the older of the two to have it done again."
            )
    return paired_bootstrap(
        targets,
        [one.predicted for one in predictions[: len(runs)]],
        [one.predicted for one in predictions[len(runs) :]],
        measure=runs[0].measures[0],
        num_classes=runs[0].num_classes,
    )
