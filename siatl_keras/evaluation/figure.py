"""Figures without a screen, and without pyplot, which would keep each in memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from siatl_keras.atomic import new_file
from siatl_keras.extras import needed


def new_figure(
    rows: int, columns: int, size: tuple[float, float], **kwargs: Any
) -> tuple[Any, Any]:
    """Makes a figure with axes.

    Args:
        rows: int, axes one below another.
        columns: int, axes side by side.
        size: width and height in inches.
        **kwargs: see `matplotlib.figure.Figure.subplots`.

    Returns:
        the figure, and its axes as `subplots` returns them.

    Raises:
        ImportError: if matplotlib is not installed.
    """
    figure = needed("matplotlib.figure").Figure(figsize=size, layout="constrained")
    needed("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, **kwargs)


def save_figure(figure: Any, path: str | os.PathLike[str]) -> None:
    """Writes a figure, all or nothing.

    Args:
        figure: the figure.
        path: ends in .png, or in .svg, whose letters are text then.
    """
    kind = Path(path).suffix.removeprefix(".") or "png"
    # The same figure is the same file, and no two figures share names in one page.
    fixed: dict[Any, str] = {"svg.fonttype": "none", "svg.hashsalt": Path(path).name}
    metadata = {"Date": None} if kind == "svg" else None
    with new_file(path) as temporary, needed("matplotlib").rc_context(fixed):
        figure.savefig(temporary, dpi=120, format=kind, metadata=metadata)
