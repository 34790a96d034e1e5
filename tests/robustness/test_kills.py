"""The short form of `benchmarks/robustness/kills.py`."""

import json

import pytest

SHORT = """
import json, random, sys
from pathlib import Path
from benchmarks.robustness import kills
kills.prepare(Path(sys.argv[1]))
print(json.dumps(kills.kill("pretrain_lm", Path(sys.argv[1]), 2, random.Random(3))))
"""


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_as_if_it_had_not_been(
    tmp_path, run_python
):
    result = json.loads(run_python(tmp_path, code=SHORT).splitlines()[-1])
    assert result["kills"] == 2
    assert result["equal_runs"] == result["runs"] >= 1
