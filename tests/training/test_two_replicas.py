import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("two_replicas_script.py")


@pytest.fixture(scope="module")
def results(run_python):
    return json.loads(run_python(SCRIPT).splitlines()[-1])


@pytest.mark.parametrize("case", ["one optimizer", "optimizer per stage", "ulmfit"])
def test_two_replicas_equal_one_device_with_clipping_and_texts_of_any_length(
    results, case
):
    assert results[case]["weights"] < 1e-4
    assert results[case]["history"] < 1e-4


def test_an_overflow_on_the_second_replica_skips_the_step(results):
    weights, scale = results["overflow"]
    assert weights == [1.0, 1.0, 1.0]
    assert scale == 2.0**14
