"""`plot_attention`: heat maps of tokens, model beside model, as a picture.

Source: Chronopoulou et al. 2019, figure 4.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from siatl_keras.evaluation.attention_map import FULL, AttentionMap
from siatl_keras.evaluation.figure import new_figure, save_figure
from siatl_keras.extras import needed

HEAT = "#ff8c28"
# In dots, of which 120 are an inch.
DOTS = 120
COLUMN, MARGIN, LINE, GAP = 560, 24, 26, 8


def plot_attention(
    rows: Sequence[Sequence[AttentionMap]], path: str | os.PathLike[str]
) -> None:
    """Draws a row of maps per text, side by side.

    Characters that matplotlib's font lacks are spelled out: `:melting_face:`.

    Args:
        rows: for each text its maps, one a model.
        path: PNG to be written.
    """
    placed = [[list(_place(found)) for found in maps] for maps in rows]
    heights = [(max(lines[-1][0] for lines in maps) + 4) * LINE for maps in placed]
    width = COLUMN * max(map(len, rows)) + MARGIN
    height = sum(heights) + 2 * LINE
    figure, axes = new_figure(1, 1, (width / DOTS, height / DOTS))
    figure.set_layout_engine("none")
    axes.set_position((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    _legend(axes)
    top = 2 * LINE
    for maps, lines, row_height in zip(rows, placed, heights, strict=True):
        axes.axhline(top - LINE / 2, color="#cccccc", lw=0.8)
        for column, (found, tokens) in enumerate(zip(maps, lines, strict=True)):
            _draw(axes, found, tokens, MARGIN + column * COLUMN, top)
        top += row_height
    save_figure(figure, path)


def _place(found: AttentionMap) -> Iterator[tuple[int, float, float, str, float]]:
    """Breaks tokens into lines: line, left, width, token and share of each."""
    line, left = 0, 0.0
    for token, share in zip(found.tokens, found.shares, strict=True):
        shown = _drawable(token)
        width = _width(shown)
        if left and left + width > COLUMN - MARGIN:
            line, left = line + 1, 0.0
        yield line, left, width, shown, share
        left += width + GAP


def _draw(axes: Any, found: AttentionMap, tokens: Any, left: float, top: float) -> None:
    write = {"va": "center", "parse_math": False, "clip_on": True}
    axes.text(
        left,
        top + LINE / 2,
        _drawable(found.model),
        fontproperties=_font("bold"),
        **write,
    )
    truth = f"  (true: {_drawable(found.truth)})" if found.truth else ""
    answer = f"{_drawable(found.label)}  {found.shown_probability}{truth}"
    axes.text(left, top + 1.5 * LINE, answer, fontproperties=_font(), **write)
    for line, start, width, token, share in tokens:
        x, y = left + start, top + (line + 2.5) * LINE
        axes.add_patch(
            needed("matplotlib.patches").Rectangle(
                (x - 2, y - LINE / 2 + 2),
                width + 4,
                LINE - 4,
                color=HEAT,
                alpha=share,
                lw=0,
            )
        )
        axes.text(x, y, token, fontproperties=_font(), **write)


def _legend(axes: Any) -> None:
    write = {"fontproperties": _font(), "va": "center"}
    axes.text(MARGIN, LINE * 0.75, "attention: the mean", **write)
    begin = MARGIN + _width("attention: the mean") + GAP
    for step in range(20):
        left = begin + 6 * step
        axes.add_patch(
            needed("matplotlib.patches").Rectangle(
                (left, LINE / 4), 6, LINE, color=HEAT, alpha=(step + 1) / 20, lw=0
            )
        )
    axes.text(begin + 120 + GAP, LINE * 0.75, FULL, **write)


def _width(text: str) -> float:
    return _renderer().get_text_width_height_descent(text, _font(), False)[0]


@cache
def _renderer() -> Any:
    figure = needed("matplotlib.figure").Figure(dpi=DOTS)
    return (
        needed("matplotlib.backends.backend_agg").FigureCanvasAgg(figure).get_renderer()
    )


@cache
def _characters() -> frozenset[int]:
    fonts = needed("matplotlib.font_manager")
    return frozenset(fonts.get_font(fonts.findfont(_font())).get_charmap())


def _drawable(text: str) -> str:
    """Spells out what the font lacks, and matplotlib would warn of and leave blank."""
    shown = []
    for character in text:
        category = unicodedata.category(character)
        if character.isprintable() and ord(character) in _characters():
            shown.append(character)
        elif category == "So":
            name = unicodedata.name(character, "symbol").lower().replace(" ", "_")
            shown.append(f":{name}:")
        elif category not in ("Cc", "Cf", "Mn", "Sk"):
            # Marks, joiners and skin tones belong to a character that is spelled out.
            shown.append("\N{WHITE SQUARE}")
    return _cut("".join(shown))


def _cut(text: str) -> str:
    """Ends a text with … where it would leave its column."""
    if _width(text) <= COLUMN - MARGIN:
        return text
    while _width(text + "…") > COLUMN - MARGIN:
        text = text[:-1]
    return text + "…"


@cache
def _font(weight: str = "normal") -> Any:
    return needed("matplotlib.font_manager").FontProperties(size=10, weight=weight)
