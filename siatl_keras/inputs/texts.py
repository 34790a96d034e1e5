"""`as_texts`: texts as a list, from whatever users keep them in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from siatl_keras.inputs.rows import is_missing, quoted, rows_of


def as_texts(values: Any, argument: str, iterators: bool = False) -> list[str | bytes]:
    """Lists texts, by position.

    Args:
        values: what `rows_of` takes, of str or UTF-8 bytes.
        argument: name of the argument, for messages.
        iterators: whether an iterator of texts, which is read to its end, will do.

    Returns:
        list of str or bytes.

    Raises:
        ValueError: if it is no column of texts; the message names the first row, from
            0, that is none.

    Example:
    >>> import numpy as np
    >>> as_texts(np.array(["so glad", "what a day"]), "x")
    ['so glad', 'what a day']
    """
    if iterators and isinstance(values, Iterator):
        values = list(values)
    texts = rows_of(values, argument)
    for row, text in enumerate(texts):
        if isinstance(text, str):
            if not text.isascii():
                _check_utf8(text, argument, row)
        elif is_missing(text):
            raise ValueError(
                f"`{argument}` has no text in row {row}: {text!r}. Drop such rows (in "
                'pandas: `dropna`), or pass "" for an empty text.'
            )
        elif not isinstance(text, bytes):
            raise ValueError(
                f"`{argument}` must hold texts. Received in row {row}: {quoted(text)}, "
                f"a {type(text).__name__}. Pass `str` values."
            )
    return texts


def _check_utf8(text: str, argument: str, row: int) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"`{argument}` holds {ascii(text[error.start])} in row {row}, half of a "
            "character that was cut in two. Remove it, for example with `text.encode("
            '"utf-8", "ignore").decode()`.'
        ) from error
