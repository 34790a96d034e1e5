"""Figures without a screen, and without pyplot, which would keep each in memory."""

from __future__ import annotations

import os
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from siatl_keras.atomic import new_file


def new_figure(
    rows: int, columns: int, size: tuple[float, float], **kwargs: Any
) -> tuple[Figure, Any]:
    """Makes a figure with axes.

    Args:
        rows: int, axes one below another.
        columns: int, axes side by side.
        size: width and height in inches.
        **kwargs: see `matplotlib.figure.Figure.subplots`.

    Returns:
        the figure, and its axes as `subplots` returns them.
    """
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, **kwargs)


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Writes a figure as PNG, all or nothing."""
    with new_file(path) as temporary:
        figure.savefig(temporary, dpi=120)
