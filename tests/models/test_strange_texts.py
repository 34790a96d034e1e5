"""Short form of benchmarks.robustness.texts."""

from benchmarks.robustness.texts import run


def test_strange_texts_get_the_same_finite_answer_in_any_batch():
    result = run(batches=11, seed=2, longest=50_000)
    assert result["faults"] == [] and result["slow"] == {}
    assert result["answered"] == result["tries"] == 13
