"""`visible_form`: what can be seen of a label, to find labels that look alike."""

from __future__ import annotations

import unicodedata


def visible_form(label: str) -> str:
    """Leaves out what cannot be seen.

    Args:
        label: any string.

    Returns:
        the label in Unicode's form NFC, without characters of no width (zero-width
        spaces and joiners, direction marks, soft hyphens, variation selectors) and
        without outer white space.
    """
    seen = (
        character
        for character in label
        if unicodedata.category(character) != "Cf"
        and not "\ufe00" <= character <= "\ufe0f"
    )
    return unicodedata.normalize("NFC", "".join(seen)).strip()
