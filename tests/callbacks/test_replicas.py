import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("replicas_script.py")
# Of figures up to 20, in float32. Batch normalisation takes the difference of two sums
# over all replicas.
TOLERANCE = {"ulmfit": 1e-4}
CASES = {
    2: [
        "three_stages",
        "optimizer_per_stage",
        "ulmfit",
        "transformer",
        "single_batches",
    ],
    # By which batches do not divide.
    3: [
        "three_stages",
        "steps_at_once",
        "language_model",
        "sampled_words",
        "soft_labels",
    ],
}


# The cases that `make test` has; of a classifier `test_distribute.py` has one.
EVERY_CHANGE = [(2, "single_batches")]


@pytest.fixture(scope="module")
def results(request, start_program):
    """Figures of a number of devices, from a process for each, of the cases asked."""
    found = {}
    asked = [
        item.callspec.params
        for item in request.session.items
        if item.path == request.path and "case" in getattr(item, "fixturenames", ())
    ]

    def of(devices):
        if devices not in found:
            names = [of["case"] for of in asked if of["devices"] == devices]
            printed = start_program(SCRIPT, devices, *names, timeout=2700)
            lines = printed.splitlines()
            found[devices] = json.loads(lines[-1])
        return found[devices]

    return of


@pytest.mark.parametrize(
    ("devices", "case"),
    [
        pytest.param(
            *(count, case),
            marks=[] if (count, case) in EVERY_CHANGE else pytest.mark.slow,
        )
        for count in CASES
        for case in CASES[count]
    ],
)
def test_several_devices_equal_one_whether_or_not_batches_divide(
    results, devices, case
):
    differences = results(devices)[case]
    assert max(differences.values()) < TOLERANCE.get(case, 1e-5), differences


@pytest.mark.parametrize("devices", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_losses_of_every_reduction_are_those_of_the_whole_batch(results, devices):
    losses = results(devices)["losses"]
    assert set(losses) == {"sum", "mean", "sum_over_batch_size"} | {
        "mean_with_sample_weight"
    }
    assert max(losses.values()) < 1e-6


def test_an_overflow_on_the_second_replica_skips_the_step(results):
    unchanged, scale = results(2)["overflow"]
    assert unchanged
    assert scale == 2.0**14
