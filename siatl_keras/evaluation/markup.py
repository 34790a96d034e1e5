"""Pages of one file that load and run nothing: their frame, and text made harmless."""

from __future__ import annotations

import html
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

# It holds foreign text, so it may load and run nothing, even if escaping failed.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; --heat: 255, 140, 40; --ink: #1b1b1b; --page: #fff;
  --line: #d4d4d4; --soft: #f4f5f7; --accent: #0072b2; --warn: #a63d00; }
@media (prefers-color-scheme: dark) {
  :root { --heat: 190, 75, 0; --ink: #f0f0f0; --page: #161616; --line: #444;
    --soft: #232425; --accent: #6cb8ea; --warn: #ff9a66; }
}
body { font: 16px/1.6 system-ui, sans-serif; color: var(--ink);
  background: var(--page); max-width: 72rem; margin: 2rem auto; padding: 0 1rem;
  overflow-wrap: anywhere; }
.text, .tokens span { unicode-bidi: isolate; white-space: pre-wrap; }
.tokens span { background: rgba(var(--heat), var(--share)); border-radius: 0.2rem;
  padding: 0.05rem 0.15rem; }
"""
# Characters that turn the direction of what follows, outside their own token too.
TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}


def page(title: str, style: str, body: str) -> str:
    """Puts a page together.

    Args:
        title: str, plain text.
        style: CSS beside that of all pages.
        body: HTML.

    Returns:
        HTML that needs no other file.
    """
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escaped(title)}</title>
<style>{STYLE}{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def escaped(text: str) -> str:
    """Makes text harmless: no markup, no control or direction-turning characters."""
    seen = "".join(
        "\N{REPLACEMENT CHARACTER}"
        if ord(character) in TURNING
        or (unicodedata.category(character) == "Cc" and character not in "\t\n")
        else character
        for character in text
    )
    return html.escape(seen)


def as_svg(draw: Callable[[Path], None], title: str) -> str:
    """Draws a picture as a part of a page.

    Args:
        draw: writes a figure to the path that it is given.
        title: what those hear who do not see it, different for each in a page.

    Returns:
        an `<svg>` element.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{title.replace(' ', '-')}.svg"
        draw(path)
        text = path.read_text("utf-8")
    element = text[text.index("<svg") :]
    return element.replace("<svg", f'<svg role="img" aria-label="{escaped(title)}"', 1)
