"""`excerpt` and `listed`: what messages quote of a file, which is never much of it."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST_EXCERPT = 40
MOST_LISTED = 5


def excerpt(text: str) -> str:
    """Quotes the beginning of a text.

    Args:
        text: any text.

    Returns:
        at most `LONGEST_EXCERPT` characters of it in quotes, what cannot be printed
        escaped; three dots behind it tell that it goes on.
    """
    shown = repr(text[:LONGEST_EXCERPT])
    return shown if len(text) <= LONGEST_EXCERPT else f"{shown}…"


def listed(names: Iterable[str]) -> str:
    """Lists the first few of any number of names.

    Args:
        names: the names.

    Returns:
        `MOST_LISTED` of them at most, each as `excerpt` shows it, and how many more
        there are.
    """
    names = list(names)
    shown = ", ".join(excerpt(str(name)) for name in names[:MOST_LISTED])
    more = len(names) - MOST_LISTED
    return f"[{shown}]" if more <= 0 else f"[{shown}] and {more} more"
