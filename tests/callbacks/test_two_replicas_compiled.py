import json
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).with_name("compiled_on_two_replicas_script.py")
METRICS = ("auc", "f1_score", "accuracy", "categorical_crossentropy", "r", "mse")


@pytest.mark.slow
def test_metrics_of_two_replicas_are_those_of_one_device(start_program):
    """One of the two gets an empty batch at the end."""
    results = json.loads(start_program(SCRIPT).splitlines()[-1])
    for name in (*METRICS, "perplexity"):
        received, expected = (np.array(results[n][name]) for n in ("two", "one"))
        assert received == pytest.approx(expected, abs=1e-4), name
    assert np.isfinite([results["two"]["task_loss"], results["two"]["loss"]]).all()
