"""Tries all rows: `python -m benchmarks.robustness.wrong_inputs`."""

import itertools
import tempfile
from pathlib import Path

from benchmarks.robustness.outcomes import report
from benchmarks.robustness.wrong_inputs.calls import evaluation_rows, model_rows
from benchmarks.robustness.wrong_inputs.check import check
from benchmarks.robustness.wrong_inputs.constructors import constructor_rows
from benchmarks.robustness.wrong_inputs.files import file_rows


def rows(folder):
    """Returns all rows: description, argument that must be named, function."""
    return list(
        itertools.chain(
            constructor_rows(), file_rows(folder), evaluation_rows(), model_rows()
        )
    )


def run():
    """Tries all rows; returns what `tally` returns."""
    with tempfile.TemporaryDirectory() as folder:
        return check(rows(Path(folder)))


if __name__ == "__main__":
    report("wrong_inputs", 0, run())
