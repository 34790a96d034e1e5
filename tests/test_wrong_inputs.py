"""Short form of benchmarks.robustness.wrong_inputs: what needs no model."""

import pytest

from benchmarks.robustness.wrong_inputs.calls import evaluation_rows
from benchmarks.robustness.wrong_inputs.check import check, refused
from benchmarks.robustness.wrong_inputs.constructors import (
    CONSTRUCTORS,
    constructor_rows,
)
from benchmarks.robustness.wrong_inputs.files import file_rows


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_wrong_arguments_are_refused_by_name(name):
    rows = [row for row in constructor_rows() if row[0].startswith(f"{name}(")]
    result = check(rows)
    assert result["faults"] == []
    assert result["refused"] == len(rows) > 0


def test_wrong_files_columns_and_settings_are_refused_by_name(tmp_path):
    rows = list(file_rows(tmp_path))
    result = check(rows)
    assert result["faults"] == []
    assert result["refused"] == len(rows) > 80


def test_wrong_predictions_are_refused_by_name():
    assert check(evaluation_rows())["faults"] == []


def test_an_answer_or_a_message_without_the_name_is_a_fault():
    def other():
        raise ValueError("`rate` must be in [0, 1).")

    for function, message in ((dict, "answered"), (other, "does not name dropout")):
        with pytest.raises(AssertionError, match=message):
            refused("dropout", function)
    faults = check([("KeyError", None, {}.popitem)])["faults"]
    assert len(faults) == 1 and "KeyError" in faults[0]
