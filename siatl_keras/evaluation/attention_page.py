"""`attention_page`: heat maps of tokens, model beside model, as one HTML file.

Source: Chronopoulou et al. 2019, figure 4, which shows the attention of SiATL beside
that of plain transfer.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from typing import Any

from siatl_keras.evaluation.attention_map import AttentionMap

# It holds foreign text, so it may load and run nothing, even if escaping failed.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; --heat: 255, 140, 40; --ink: #1b1b1b; --page: #fff;
  --line: #d4d4d4; }
@media (prefers-color-scheme: dark) {
  :root { --heat: 190, 75, 0; --ink: #f0f0f0; --page: #161616; --line: #444; }
}
body { font: 16px/1.7 system-ui, sans-serif; color: var(--ink);
  background: var(--page); max-width: 80rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1rem; font-weight: normal; }
h3 { font-size: 0.9rem; margin: 0; overflow-wrap: anywhere; }
section { border-top: 1px solid var(--line); padding: 0.5rem 0 1rem; }
.models { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); }
article { border: 1px solid var(--line); border-radius: 0.4rem;
  padding: 0.6rem 0.8rem; }
article p { margin: 0.2rem 0; }
.text, .tokens span { unicode-bidi: isolate; overflow-wrap: anywhere;
  white-space: pre-wrap; }
.tokens span { background: rgba(var(--heat), var(--share)); border-radius: 0.2rem;
  padding: 0.05rem 0.15rem; }
.bar { display: inline-block; width: 8rem; height: 0.8rem; vertical-align: middle;
  border: 1px solid var(--line);
  background: linear-gradient(to right, rgba(var(--heat), 0), rgb(var(--heat))); }
"""
# Characters that turn the direction of what follows, outside their own token too.
TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}


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
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width">
<title>What the classifiers look at</title>
<style>{STYLE}</style>
</head>
<body>
<h1>What the classifiers look at</h1>
<p class=legend>Attention of a token: 0 <span class=bar></span> the largest of its text.
The weights of a text sum to 1; point at a token to see its own.</p>
{sections}
</body>
</html>
"""


def _heading(text: Any) -> str:
    sides = text if isinstance(text, tuple) else (text,)
    return "<br>".join(f"<span class=text>{_escape(side)}</span>" for side in sides)


def _article(found: AttentionMap) -> str:
    tokens = " ".join(
        f'<span style="--share: {share:.3f}" title="{weight:.4f}">'
        f"{_escape(token)}</span>"
        for token, weight, share in zip(
            found.tokens, found.weights, found.shares, strict=True
        )
    )
    return (
        f"<article>\n<h3>{_escape(found.model)}</h3>\n"
        f"<p><b>{_escape(found.label)}</b> {found.shown_probability}</p>\n"
        f"<p class=tokens>{tokens}</p>\n</article>\n"
    )


def _escape(text: str) -> str:
    """Makes text harmless: no markup, no control or direction-turning characters."""
    seen = "".join(
        "\N{REPLACEMENT CHARACTER}"
        if ord(character) in TURNING
        or (unicodedata.category(character) == "Cc" and character not in "\t\n")
        else character
        for character in text
    )
    return html.escape(seen)
