"""`attention_page`: heat maps of tokens, model beside model, as one HTML file.

Source: Chronopoulou et al. 2019, figure 4, which shows the attention of SiATL beside
that of plain transfer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from siatl_keras.evaluation.attention_map import AVERAGE, FULL, AttentionMap
from siatl_keras.evaluation.markup import escaped, page

TITLE = "What the classifiers look at"

STYLE = """
h1 { font-size: 1.4rem; } h2 { font-size: 1rem; font-weight: normal; }
h3 { font-size: 0.9rem; margin: 0; }
section { border-top: 1px solid var(--line); padding: 0.5rem 0 1rem; }
.models { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); }
article { border: 1px solid var(--line); border-radius: 0.4rem;
  padding: 0.6rem 0.8rem; }
article p { margin: 0.2rem 0; }
.bar { display: inline-block; width: 8rem; height: 0.8rem; vertical-align: middle;
  border: 1px solid var(--line);
  background: linear-gradient(to right, rgba(var(--heat), 0), rgb(var(--heat))); }
"""


def attention_page(texts: Sequence[Any], rows: Sequence[Sequence[AttentionMap]]) -> str:
    """Writes the page. It needs no other file, and tokens are text in it, never markup.

    Args:
        texts: the texts; tuples of two for pairs.
        rows: for each text its maps, one a model.

    Returns:
        HTML.
    """
    sections = "\n".join(
        f"<section>\n<h2>{number}. {_heading(text)}</h2>\n"
        f"<div class=models>\n{''.join(map(_article, maps))}</div>\n</section>"
        for number, (text, maps) in enumerate(zip(texts, rows, strict=True), start=1)
    )
    legend = f"""<h1>{TITLE}</h1>
<p class=legend>Attention of a token: {AVERAGE} <span class=bar></span> {FULL}.
The weights of a text sum to 1; point at a token to see its own.</p>
"""
    return page(TITLE, STYLE, legend + sections)


def _heading(text: Any) -> str:
    sides = text if isinstance(text, tuple) else (text,)
    return "<br>".join(f"<span class=text>{escaped(side)}</span>" for side in sides)


def _article(found: AttentionMap) -> str:
    return (
        f"<article>\n<h3>{escaped(found.model)}</h3>\n"
        f"<p><b>{escaped(found.label)}</b> {found.shown_probability}"
        f"{_truth(found)}</p>\n{tokens_with_heat(found)}</article>\n"
    )


def _truth(found: AttentionMap) -> str:
    if not found.truth:
        return ""
    return f" {'✗' if found.is_wrong else '✓'} true: <b>{escaped(found.truth)}</b>"


def tokens_with_heat(found: AttentionMap) -> str:
    """Writes the tokens of a map, the more coloured the more they weigh.

    Args:
        found: the map.

    Returns:
        a paragraph of HTML.
    """
    tokens = " ".join(
        f'<span style="--share: {share:.3f}" title="{weight:.4f}">'
        f"{escaped(token)}</span>"
        for token, weight, share in zip(
            found.tokens, found.weights, found.shares, strict=True
        )
    )
    return f"<p class=tokens>{tokens}</p>\n"
