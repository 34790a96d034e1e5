"""`marker_ids`: the tokens that mark a text's ends and parts, and are no words of it."""

from __future__ import annotations

from typing import Any

MARKERS = ("pad", "start", "end")


def marker_ids(preprocessor: Any) -> set[int]:
    """Collects the ids of padding, start, end, and what separates pairs.

    Args:
        preprocessor: a `SiATLPreprocessor`, or another that has a tokenizer.

    Returns:
        those that the tokenizer has.
    """
    tokenizer = preprocessor.tokenizer
    ids = {getattr(tokenizer, f"{name}_token_id", None) for name in MARKERS}
    return (ids | set(getattr(preprocessor, "separator_ids", ()))) - {None}
