"""`marker_ids`: tokens that mark where texts begin and end, and are no words."""

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
    ids = [getattr(tokenizer, f"{name}_token_id", None) for name in MARKERS]
    ids += getattr(preprocessor, "separator_ids", ())
    return {token_id for token_id in ids if token_id is not None}
