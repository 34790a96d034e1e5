"""Plots of a run: its training, its confusion matrix, a language model's perplexity."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from siatl_keras.evaluation.figure import new_figure, save_figure
from siatl_keras.evaluation.report import Report

PathLike = str | os.PathLike[str]
STAGE_COLOURS = {1: "#eef3fb", 2: "#d9e6f7", 3: "#bfd4f0"}


def plot_training(epochs: Sequence[Mapping[str, Any]], path: PathLike) -> None:
    """Draws losses, γ and macro F1 over the epochs of a fine-tuning run, by stage.

    Args:
        epochs: the logs of each epoch; NaN, null or no key where nothing was computed.
        path: PNG to be written.
    """
    figure, (top, bottom) = new_figure(2, 1, (7.5, 6.0), sharex=True)
    _shade_stages(top, bottom, epochs)
    for key, label, style in (
        ("task_loss", "task loss, training", "C0--"),
        ("val_task_loss", "task loss, validation", "C0-"),
    ):
        _line(top, epochs, key, label, style)
    top.set_ylabel("task loss")
    right = top.twinx()
    _line(right, epochs, "lm_loss", "LM loss, training", "C1--")
    _line(right, epochs, "val_lm_loss", "LM loss, validation", "C1-")
    right.set_ylabel("LM loss")
    _legend(top, right, "upper right")
    for key, label, style in (
        ("macro_f1", "macro F1, training", "C2--"),
        ("val_macro_f1", "macro F1, validation", "C2-"),
    ):
        _line(bottom, epochs, key, label, style)
    bottom.set_ylabel("macro F1")
    bottom.set_xlabel("epoch")
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True))
    right = bottom.twinx()
    _line(right, epochs, "gamma", "γ", "C3:")
    right.set_ylabel("γ")
    right.set_ylim(bottom=0.0)
    _legend(bottom, right, "lower right")
    save_figure(figure, path)


def plot_confusion_matrix(report: Report, path: PathLike) -> None:
    """Draws a confusion matrix: counts, coloured by their share of the true class.

    Args:
        report: the figures.
        path: PNG to be written.
    """
    counts = np.array(report.confusion)
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
    size = 3.0 + 0.55 * len(report.label_names)
    figure, axes = new_figure(1, 1, (size + 1.0, size))
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    numbers = range(len(report.label_names))
    # A label such as "$5-$10" is no formula.
    names = {"labels": report.label_names, "parse_math": False}
    axes.set_xticks(numbers, **names, rotation=45, ha="right")
    axes.set_yticks(numbers, **names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    for row in numbers:
        for column in numbers:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(
                column, row, counts[row, column], ha="center", va="center", color=colour
            )
    figure.colorbar(image, label="share of the true class", fraction=0.046)
    axes.set_title(f"accuracy {report.accuracy:.3f}, macro F1 {report.macro_f1:.3f}")
    save_figure(figure, path)


def plot_perplexity(
    history: Mapping[str, Sequence[float]], steps_per_epoch: int, path: PathLike
) -> None:
    """Draws a language model's perplexity over its training steps.

    Args:
        history: Keras's history with `val_perplexity`, and with `perplexity` unless
            training was on sampled words. Values that are not finite are left out.
        steps_per_epoch: int.
        path: PNG to be written.
    """
    figure, axes = new_figure(1, 1, (7.0, 4.0))
    for key, label in (("perplexity", "training"), ("val_perplexity", "validation")):
        values = np.array(history.get(key, []), "float64")  # null is NaN
        steps = steps_per_epoch * np.arange(1, len(values) + 1)
        values = np.where(np.isfinite(values), values, np.nan)
        if np.isfinite(values).any():
            axes.plot(steps, values, marker=".", label=label)
    axes.set_yscale("log")
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("perplexity")
    axes.grid(alpha=0.3, which="both")
    if axes.lines:
        axes.legend()
    # The last, that of the validation: training that diverged keeps it.
    finite = values[np.isfinite(values)]
    axes.set_title(f"validation perplexity {finite[-1] if len(finite) else np.inf:.1f}")
    save_figure(figure, path)


def _line(axes: Any, epochs: Any, key: str, label: str, style: str) -> None:
    # Absent, null or not finite where an epoch computed none, or diverged.
    points = [
        (logs["epoch"], logs[key])
        for logs in epochs
        if logs.get(key) is not None and np.isfinite(logs[key])
    ]
    if points:
        axes.plot(*zip(*points, strict=True), style, marker=".", label=label)


def _legend(left: Any, right: Any, place: str) -> None:
    handles, labels = left.get_legend_handles_labels()
    more_handles, more_labels = right.get_legend_handles_labels()
    # The right axes are drawn last: a legend of the left ones would lie under lines.
    handles, labels = handles + more_handles, labels + more_labels
    right.legend(handles, labels, loc=place, fontsize=8)


def _shade_stages(top: Any, bottom: Any, epochs: Any) -> None:
    spans: dict[int, list[float]] = {}
    for logs in epochs:
        stage, start = int(logs.get("stage", 1)), logs["epoch"] - 0.5
        spans.setdefault(stage, []).append(logs["epoch"])
        for axes in (top, bottom):
            axes.axvspan(
                start, start + 1.0, color=STAGE_COLOURS.get(stage), zorder=0, lw=0
            )
    # Numbers alone: a stage may last a single epoch, too narrow for a word.
    names = {"xycoords": ("data", "axes fraction"), "va": "bottom", "fontsize": 9}
    for stage, inside in spans.items():
        middle = (inside[0] + inside[-1]) / 2
        top.annotate(str(stage), (middle, 1.0), ha="center", **names)
    names["xycoords"] = "axes fraction"
    top.annotate("stage", (-0.01, 1.0), ha="right", **names)
    top.set_xlim(epochs[0]["epoch"] - 0.5, epochs[-1]["epoch"] + 0.5)
