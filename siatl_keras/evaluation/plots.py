"""Plots of a run: its training, its confusion matrix, a language model's perplexity."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from siatl_keras.evaluation.figure import new_figure, save_figure
from siatl_keras.evaluation.measures import MEASURES
from siatl_keras.extras import needed

PathLike = str | os.PathLike[str]
# What the lower panel of a training shows: the first that the logs hold.
SHOWN = ("macro_f1", "quadratic_kappa", "mae")
STAGE_COLOURS = {1: "#fafafa", 2: "#f0f0f0", 3: "#e4e4e4"}
# Okabe and Ito's, which the colour-blind tell apart; what is of training is dashed and
# has open marks, so that it is told from the rest without colours too.
BLUE, ORANGE, GREEN, RED = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
TRAINING = {"ls": "--", "marker": "o", "markersize": 4, "mfc": "white"}
VALIDATION = {"ls": "-", "marker": "o", "markersize": 4}

# Inches of a class in a confusion matrix, and points of its letters: room for five
# digits, and, of more than so many classes, for two.
MANY, CELL, SMALL_CELL = 30, (0.55, 10.0), (0.2, 6.0)


def plot_training(
    epochs: Sequence[Mapping[str, Any]], path: PathLike, best_epoch: int | None = None
) -> None:
    """Draws losses, γ and the main figure over the epochs of fine-tuning, by stage.

    Args:
        epochs: the logs of each epoch; NaN, null or no key where nothing was computed.
        path: PNG or SVG to be written.
        best_epoch: int, whose weights the model has, to be marked.
    """
    figure, (top, bottom) = new_figure(2, 1, (7.5, 6.0), sharex=True)
    _shade_stages(top, bottom, epochs)
    _line(top, epochs, "task_loss", "task loss, training", BLUE, TRAINING)
    _line(top, epochs, "val_task_loss", "task loss, validation", BLUE, VALIDATION)
    top.set_ylabel("task loss")
    right = top.twinx()
    _line(right, epochs, "lm_loss", "LM loss, training", ORANGE, TRAINING)
    _line(right, epochs, "val_lm_loss", "LM loss, validation", ORANGE, VALIDATION)
    right.set_ylabel("LM loss")
    _legend(top, right, "upper right")
    logged = {key.removeprefix("val_") for logs in epochs for key in logs}
    shown = next((name for name in SHOWN if name in logged), SHOWN[0])
    title = MEASURES[shown].title
    _line(bottom, epochs, shown, f"{title}, training", GREEN, TRAINING)
    _line(bottom, epochs, f"val_{shown}", f"{title}, validation", GREEN, VALIDATION)
    bottom.set_ylabel(title)
    if not MEASURES[shown].lower_is_better:
        bottom.set_ylim(min(0.0, bottom.get_ylim()[0]), 1.0)
    bottom.set_xlabel("epoch")
    bottom.xaxis.set_major_locator(
        needed("matplotlib.ticker").MaxNLocator(integer=True)
    )
    right = bottom.twinx()
    _line(right, epochs, "gamma", "γ", RED, {"ls": ":", "marker": "x", "markersize": 4})
    right.set_ylabel("γ")
    right.set_ylim(bottom=0.0)
    if best_epoch is not None:
        label = f"epoch {best_epoch}, which is kept"
        for axes in (top, bottom):
            axes.axvline(best_epoch, color="black", lw=1, ls=":", label=label)
    _legend(bottom, right, "lower right")
    save_figure(figure, path)


def plot_confusion_matrix(report: Any, path: PathLike) -> None:
    """Draws a confusion matrix: counts, coloured by their share of the true class.

    Where there are none, it is blank: of 150 classes, most of 22 500 places.

    Args:
        report: a `Report`.
        path: PNG or SVG to be written.
    """
    counts = np.array(report.confusion)
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
    places = np.argwhere(counts)
    cell, font = CELL if len(report.label_names) <= MANY else SMALL_CELL
    size = 3.0 + cell * len(report.label_names)
    figure, axes = new_figure(1, 1, (size + 1.0, size))
    # No image, which a page that loads nothing would not show.
    corners = places[:, None, ::-1] + np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    squares = needed("matplotlib.collections").PolyCollection(
        corners, array=shares[*places.T], cmap="Blues", clim=(0.0, 1.0)
    )
    axes.add_collection(squares)
    numbers = range(len(report.label_names))
    # A label such as "$5-$10" is no formula.
    names = {"labels": report.label_names, "parse_math": False, "fontsize": font}
    middle = [number + 0.5 for number in numbers]
    axes.set_xticks(middle, **names, rotation=45, ha="right")
    axes.set_yticks(middle, **names)
    axes.set_xlim(0, len(numbers))
    axes.set_ylim(len(numbers), 0)
    axes.set_aspect("equal")
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    for row, column in places:
        colour = "white" if shares[row, column] > 0.5 else "black"
        text = (column + 0.5, row + 0.5, str(counts[row, column]))
        axes.text(*text, ha="center", va="center", color=colour, fontsize=font)
    bar = figure.colorbar(squares, label="share of the true class", fraction=0.046)
    assert bar.solids is not None
    bar.solids.set(rasterized=False, edgecolor="face")
    axes.set_title(f"accuracy {report.accuracy:.3f}, macro F1 {report.macro_f1:.3f}")
    save_figure(figure, path)


def plot_f1_by_label(report: Any, path: PathLike) -> None:
    """Draws the F1 of each label, the best on top, with the label's number of texts.

    Args:
        report: a `MultiLabelReport`.
        path: PNG or SVG to be written.
    """
    order = np.argsort(report.f1, kind="stable")
    figure, axes = new_figure(1, 1, (7.0, 1.6 + 0.26 * len(order)))
    places = np.arange(len(order))
    axes.barh(places, np.array(report.f1)[order], color=BLUE, height=0.7)
    names = [f"{report.label_names[i]} ({report.support[i]})" for i in order]
    axes.set_yticks(places, names, parse_math=False)
    axes.set_ylim(-0.7, len(order) - 0.3)
    axes.set_xlim(0.0, 1.0)
    axes.set_xlabel("F1; in brackets: texts with the label")
    axes.axvline(report.macro_f1, color="black", lw=1, ls=":")
    axes.set_title(
        f"macro F1 {report.macro_f1:.3f} (dotted), micro F1 {report.micro_f1:.3f}"
    )
    axes.grid(axis="x", alpha=0.3)
    save_figure(figure, path)


def plot_reliability(calibration: Any, path: PathLike) -> None:
    """Draws how often answers are right against how sure they are.

    Args:
        calibration: a `Calibration`.
        path: PNG or SVG to be written.
    """
    figure, (top, bottom) = new_figure(
        2, 1, (5.0, 6.0), sharex=True, height_ratios=(3, 1)
    )
    confidence = [each.confidence for each in calibration.bins]
    top.plot(
        [0.0, 1.0], [0.0, 1.0], color="black", lw=1, ls=":", label="as sure as right"
    )
    top.plot(
        confidence, [each.right for each in calibration.bins], color=BLUE, marker="o"
    )
    top.set_ylabel("share of right answers")
    top.set_ylim(0.0, 1.02)
    top.legend(loc="upper left", fontsize=8)
    bottom.bar(
        confidence, [each.answers for each in calibration.bins], 0.05, color=BLUE
    )
    bottom.set_ylabel("answers")
    bottom.set_xlabel("confidence")
    bottom.set_xlim(0.0, 1.02)
    for axes in (top, bottom):
        axes.grid(alpha=0.3)
    top.set_title(
        f"calibration error {calibration.ece:.3f}, Brier score {calibration.brier:.3f}"
    )
    save_figure(figure, path)


def plot_numbers(report: Any, path: PathLike) -> None:
    """Draws answers against the truth, with the line where both are the same.

    Args:
        report: a `NumberReport`.
        path: PNG or SVG to be written.
    """
    figure, axes = new_figure(1, 1, (5.5, 5.0))
    # Of many texts with one number, none is to hide the others.
    size = np.clip(4000 / len(report.targets), 4, 30)
    axes.scatter(report.targets, report.predicted, s=size, alpha=0.35, lw=0, color=BLUE)
    low = min(report.targets.min(), report.predicted.min())
    high = max(report.targets.max(), report.predicted.max())
    axes.plot([low, high], [low, high], color="black", lw=1, ls=":")
    axes.set_xlabel("true")
    axes.set_ylabel("predicted")
    axes.grid(alpha=0.3)
    axes.set_title(f"MAE {report.mae:.3g}, Pearson's r {report.pearson:.3f}")
    save_figure(figure, path)


def plot_perplexity(
    history: Mapping[str, Sequence[float]],
    steps_per_epoch: int,
    perplexity: float,
    path: PathLike,
) -> None:
    """Draws a language model's perplexity over its training steps.

    Args:
        history: Keras's history with `val_perplexity`, and with `perplexity` unless
            training was on sampled words. Values that are not finite are left out.
        steps_per_epoch: int.
        perplexity: float, of the finished model on all validation texts; the curve may
            be of a part of them.
        path: PNG or SVG to be written.
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
    axes.set_title(f"validation perplexity {perplexity:.1f}")
    save_figure(figure, path)


def _line(
    axes: Any, epochs: Any, key: str, label: str, colour: str, style: dict[str, Any]
) -> None:
    # Absent, null or not finite where an epoch computed none, or diverged.
    points = [
        (logs["epoch"], logs[key])
        for logs in epochs
        if logs.get(key) is not None and np.isfinite(logs[key])
    ]
    if points:
        axes.plot(*zip(*points, strict=True), color=colour, label=label, **style)


def _legend(left: Any, right: Any, place: str) -> None:
    handles, labels = left.get_legend_handles_labels()
    more_handles, more_labels = right.get_legend_handles_labels()
    right.yaxis.set_visible(bool(more_handles))
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
