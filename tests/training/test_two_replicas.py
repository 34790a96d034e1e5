import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("two_replicas_script.py")


@pytest.fixture(scope="module")
def results():
    root = str(SCRIPT.parents[2])
    done = subprocess.run(
        [sys.executable, SCRIPT],
        env={**os.environ, "PYTHONPATH": root, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("case", ["one optimizer", "optimizer per stage"])
def test_two_replicas_equal_one_device_with_clipping_and_texts_of_any_length(
    results, case
):
    assert results[case]["weights"] < 1e-4
    assert results[case]["history"] < 1e-4


def test_an_overflow_on_the_second_replica_skips_the_step(results):
    weights, scale = results["overflow"]
    assert weights == [1.0, 1.0, 1.0]
    assert scale == 2.0**14
