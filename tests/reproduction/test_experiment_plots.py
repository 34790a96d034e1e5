import pytest
from matplotlib.image import imread

from recipes.reproduction.experiment_plots import (
    perplexity_by_epoch,
    plot_forgetting,
    plot_gamma,
    plot_training_size,
    runs_by_gamma,
)
from recipes.reproduction.run_result import RunResult
from rigs.results_by_hand import result

CAPTION = "python -m recipes.reproduce --datasets=scv2 --methods=siatl,p-lm --seeds=2"


def colours(path):
    """The hues of a picture's lines, coarsely: which of matplotlib's are there."""
    pixels = imread(path)[..., :3].reshape(-1, 3)
    return {tuple((pixel * 8).astype(int)) for pixel in pixels[:: len(pixels) // 40000]}


def has_ink(path):
    return imread(path)[..., :3].std() > 0.05


def test_training_size_has_a_line_a_method_and_an_axes_a_data_set(tmp_path):
    results = [
        result(method, seed, wrong, texts=texts, dataset=dataset)
        for dataset in ("scv2", "imdb")
        for method, wrong in (("siatl", 20), ("p-lm", 10))
        for texts in (100, 200, None)
        for seed in (0, 1)
    ]
    sizes = {"scv2": 800, "imdb": 2000}
    for name, shown in (("one", results[:12]), ("two", results)):
        path = tmp_path / f"{name}.png"
        plot_training_size(shown, ["siatl", "p-lm"], sizes, CAPTION, path)
        assert has_ink(path)
    one, two = (imread(tmp_path / f"{name}.png") for name in ("one", "two"))
    assert two.shape[1] == 2 * one.shape[1]


def test_forgetting_is_drawn_with_runs_of_different_lengths(tmp_path):
    results = [result(m, seed) for m in ("siatl", "p-lm") for seed in (0, 1)]
    assert [len(perplexity_by_epoch(run)) for run in results] == [3, 4, 3, 4]
    plot_forgetting(results, CAPTION, tmp_path / "two.png")
    plot_forgetting(results[:2], CAPTION, tmp_path / "one.png")
    assert has_ink(tmp_path / "two.png")
    assert len(colours(tmp_path / "two.png")) > len(colours(tmp_path / "one.png"))


def test_a_run_that_logged_no_perplexity_has_an_empty_curve():
    run = result("siatl")
    assert perplexity_by_epoch(RunResult(run.key, {"test": {}})) == []
    history = [{"epoch": 1}, {"epoch": 2, "val_perplexity": 9.0}]
    assert perplexity_by_epoch(RunResult(run.key, {"history": history})) == [9.0]
    diverged = [{"val_perplexity": 9.0}, {"val_perplexity": None}]
    assert perplexity_by_epoch(RunResult(run.key, {"history": diverged})) == [9.0]


def test_gammas_are_in_order_and_none_is_zero(tmp_path):
    results = [
        result("siatl", gamma=1.0),
        result("siatl", gamma=0.05),
        result("p-lm+su"),
    ]
    assert list(runs_by_gamma(results)) == [0.0, 0.05, 1.0]
    plot_gamma(results, CAPTION, tmp_path / "gamma.png")
    assert has_ink(tmp_path / "gamma.png")


@pytest.mark.parametrize("caption", [CAPTION, f"{CAPTION} ; " * 8])
def test_a_long_caption_makes_room_for_itself(tmp_path, caption):
    plot_forgetting([result("siatl")], caption, tmp_path / "a.png")
    height, width, _ = imread(tmp_path / "a.png").shape
    lines = -(-len(caption) // 80)
    assert width == 660 and 480 < height <= 480 + 15 * (lines + 1)


def test_names_are_no_formulas(tmp_path):
    plot_forgetting([result("siatl", dataset="$5_$")], "$a_$", tmp_path / "a.png")
    assert has_ink(tmp_path / "a.png")
