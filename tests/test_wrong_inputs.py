"""Short form of benchmarks.robustness.wrong_inputs: what needs no training."""

import pytest

from benchmarks.robustness.wrong_inputs import CONSTRUCTORS, run


@pytest.mark.parametrize(
    "name", [name for name in CONSTRUCTORS if name not in ("SiATLClassifier",)]
)
def test_wrong_arguments_are_refused_by_name(name):
    result = run(lambda description: description.startswith(f"{name}("))
    assert result["faults"] == []
    assert result["refused"] == result["tries"] > 0
