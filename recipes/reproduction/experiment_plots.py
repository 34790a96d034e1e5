"""Plots of an experiment's runs: training size, forgetting, γ; axes per data set."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator, NullFormatter, NullLocator, ScalarFormatter

from siatl_keras.evaluation.figure import new_figure, save_figure
from siatl_keras.evaluation.measures import MEASURES

from .run_result import RunResult
from .spread import Spread

PathLike = str | os.PathLike[str]
# With the auxiliary loss in whole lines, without it in dashes.
FORGETTING_STYLES = {
    "siatl": ("C0", "-"),
    "p-lm+aux": ("C2", "-"),
    "p-lm+su": ("C1", "--"),
    "p-lm": ("C3", "--"),
}


def plot_training_size(
    results: Sequence[RunResult],
    methods: Sequence[str],
    sizes: Mapping[str, int],
    caption: str,
    path: PathLike,
) -> None:
    """Draws the main figure against the number of training texts, a line per method.

    Args:
        results: runs on some and on all training texts.
        methods: all methods, in the order of the legend.
        sizes: number of all training texts, by data set.
        caption: stands under the figure: how to make it again.
        path: PNG to be written.
    """

    def draw(axes: Any, dataset: str, runs: Sequence[RunResult]) -> None:
        all_ticks: set[int] = set()
        for number, method in enumerate(methods):
            points: dict[int, list[float]] = {}
            for run in runs:
                if run.key.method == method:
                    texts = run.key.texts or sizes[dataset]
                    points.setdefault(texts, []).append(run.value(run.measures[0]))
            if points:
                _error_bars(axes, dict(sorted(points.items())), method, f"C{number}")
                all_ticks |= points.keys()
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.set_xticks(sorted(all_ticks))
        axes.set_xlabel("training texts")
        axes.set_ylabel(_main_title(runs))

    _plot_datasets(results, draw, caption, path)


def plot_forgetting(results: Sequence[RunResult], caption: str, path: PathLike) -> None:
    """Draws the LM's perplexity on held-out texts over the epochs of fine-tuning.

    A thin line for each run; mean and standard deviation as far as all runs of a method
    went, since early stopping ends some before others.

    Args:
        results: runs of the methods of `FORGETTING_STYLES`.
        caption: stands under the figure: how to make it again.
        path: PNG to be written.
    """

    def draw(axes: Any, dataset: str, runs: Sequence[RunResult]) -> None:
        for method, (colour, style) in FORGETTING_STYLES.items():
            curves = [
                perplexity_by_epoch(run) for run in runs if run.key.method == method
            ]
            if not curves:
                continue
            for curve in curves:
                epochs = np.arange(1, len(curve) + 1)
                axes.plot(epochs, curve, style, color=colour, lw=0.6, alpha=0.5)
            common = min(map(len, curves))
            values = np.array([curve[:common] for curve in curves])
            mean, std = values.mean(0), values.std(0, ddof=min(1, len(curves) - 1))
            epochs = np.arange(1, common + 1)
            axes.plot(epochs, mean, style, color=colour, label=method, marker=".")
            axes.fill_between(
                epochs, mean - std, mean + std, color=colour, alpha=0.15, lw=0
            )
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch of fine-tuning")
        axes.set_ylabel("LM perplexity, validation texts")

    _plot_datasets(results, draw, caption, path)


def plot_gamma(results: Sequence[RunResult], caption: str, path: PathLike) -> None:
    """Draws the main figure, and the LM's perplexity afterwards, against γ.

    Args:
        results: runs with a γ of their own; those without are drawn as γ = 0, so they
            must be of a method without the auxiliary loss.
        caption: stands under the figure: how to make it again.
        path: PNG to be written.
    """

    def draw(axes: Any, dataset: str, runs: Sequence[RunResult]) -> None:
        by_gamma = runs_by_gamma(runs)
        # One step apart each: 0 has no place on a logarithmic axis.
        places = dict(enumerate(by_gamma.values()))
        scores = {
            x: [run.value(run.measures[0]) for run in at] for x, at in places.items()
        }
        title = _main_title(runs)
        _error_bars(axes, scores, title, "C0")
        axes.set_xticks(range(len(by_gamma)), [f"{gamma:g}" for gamma in by_gamma])
        axes.set_xlabel("γ, the same in all epochs (0: p-lm+su)")
        axes.set_ylabel(title, color="C0")
        # Two scales side by side say something when both begin at nothing.
        if not MEASURES[runs[0].measures[0]].lower_is_better:
            axes.set_ylim(min(0.0, axes.get_ylim()[0]), 1.0)
        right = axes.twinx()
        perplexities = {
            x: [run.lm_perplexity for run in at if run.lm_perplexity is not None]
            for x, at in places.items()
        }
        _error_bars(
            right,
            {x: values for x, values in perplexities.items() if values},
            "LM perplexity",
            "C1",
        )
        right.set_ylabel("LM perplexity, validation texts", color="C1")
        right.set_ylim(bottom=0.0)

    _plot_datasets(results, draw, caption, path, legend=False)


def perplexity_by_epoch(run: RunResult) -> list[float]:
    """Lists the held-out LM perplexity of a run's epochs that have a finite one.

    Args:
        run: the run.
    """
    history = run.metrics.get("history", [])
    logged = [logs.get("val_perplexity") for logs in history]
    return [value for value in logged if value is not None and np.isfinite(value)]


def runs_by_gamma(runs: Sequence[RunResult]) -> dict[float, list[RunResult]]:
    """Groups runs by γ, in its order; those without a γ of their own have 0.

    Args:
        runs: the runs.
    """
    groups: dict[float, list[RunResult]] = {}
    for run in sorted(runs, key=lambda run: run.key.gamma or 0.0):
        groups.setdefault(run.key.gamma or 0.0, []).append(run)
    return groups


def _main_title(runs: Sequence[RunResult]) -> str:
    return f"test {MEASURES[runs[0].measures[0]].title}"


def _error_bars(
    axes: Any, values: Mapping[int, Sequence[float]], label: str, colour: str
) -> None:
    spreads = {x: Spread.of(at) for x, at in values.items()}
    axes.errorbar(
        list(spreads),
        [spread.mean for spread in spreads.values()],
        yerr=[spread.std for spread in spreads.values()],
        label=label,
        color=colour,
        marker="o",
        markersize=4,
        capsize=3,
    )


def _plot_datasets(
    results: Sequence[RunResult],
    draw: Callable[[Any, str, Sequence[RunResult]], None],
    caption: str,
    path: PathLike,
    legend: bool = True,
) -> None:
    datasets = list(dict.fromkeys(run.key.dataset for run in results))
    width = 5.5 * len(datasets)
    # 17 letters of this size are an inch wide.
    lines = textwrap.wrap(caption, int(16 * width), break_on_hyphens=False)
    height = 4.0 + 0.12 * len(lines)
    figure, axes = new_figure(1, len(datasets), (width, height), squeeze=False)
    for place, dataset in zip(axes[0], datasets, strict=True):
        draw(place, dataset, [run for run in results if run.key.dataset == dataset])
        # A name such as "$5-$10" is no formula.
        place.set_title(dataset, parse_math=False)
        place.grid(alpha=0.3)
        if legend:
            place.legend(fontsize=8)
    figure.supxlabel("\n".join(lines), fontsize=6, family="monospace", parse_math=False)
    save_figure(figure, path)
