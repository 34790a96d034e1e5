"""Short form of benchmarks.robustness.files."""

from benchmarks.robustness.files import run


def test_damaged_files_are_read_or_refused_with_their_name():
    result = run(tries=1500, seed=1)
    assert result["faults"] == [] and result["slow"] == {}
    assert result["answered"] > 100 and result["refused"] > 100
