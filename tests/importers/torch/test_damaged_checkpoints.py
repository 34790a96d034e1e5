"""Short form of `benchmarks.robustness.checkpoints`."""

from benchmarks.robustness.checkpoints import run


def test_damaged_checkpoints_are_imported_or_refused_in_words(tmp_path):
    result = run(30, tmp_path, seed=3)
    assert result["faults"] == [] and result["slow"] == {}
    assert result["answered"] > 0 and result["refused"] > 0
