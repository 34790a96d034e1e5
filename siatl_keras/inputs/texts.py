"""`as_texts`: texts as a list, from whatever users keep them in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from siatl_keras.inputs.pairs import SIDES, as_pairs, is_pair
from siatl_keras.inputs.rows import is_missing, quoted, rows_of

FOR_PAIRS = "For pairs of texts, make the model with `pairs=True`."


def as_texts(
    values: Any, argument: str, iterators: bool = False, pairs: bool = False
) -> list[Any]:
    """Lists texts, or pairs of texts, by position.

    Args:
        values: what `rows_of` takes, of str or UTF-8 bytes; for pairs, what `as_pairs`
            takes.
        argument: name of the argument, for messages.
        iterators: whether an iterator of texts, which is read to its end, will do.
        pairs: whether each row must be a pair of texts.

    Returns:
        list of str or bytes; of tuples of two for pairs.

    Raises:
        ValueError: if it is no column of texts, or of pairs; the message names the
            first row, from 0, that is none.

    Example:
    >>> import numpy as np
    >>> as_texts(np.array(["so glad", "what a day"]), "x")
    ['so glad', 'what a day']
    """
    if iterators and isinstance(values, Iterator):
        values = list(values)
    if pairs:
        rows = as_pairs(values, argument)
        for row, pair in enumerate(rows):
            for side, text in zip(SIDES, pair, strict=True):
                _check_text(text, argument, f"row {row} ({side} text)")
        return rows
    try:
        texts = rows_of(values, argument)
    except ValueError as error:
        shape: Any = getattr(values, "shape", ())
        if len(shape) == 2 and shape[1] == 2:
            raise ValueError(f"{error} {FOR_PAIRS}") from None
        raise
    for row, text in enumerate(texts):
        if is_pair(text):
            raise ValueError(
                f"`{argument}` must hold texts. Received in row {row}: "
                f"{quoted(text)}, a pair of them. {FOR_PAIRS}"
            )
        _check_text(text, argument, f"row {row}")
    return texts


def as_text_tensor(texts: list[Any], pairs: bool = False) -> tf.Tensor:
    """Makes the tensor that a preprocessor takes.

    Args:
        texts: what `as_texts` returns.
        pairs: whether they are pairs.

    Returns:
        string `[texts]`, or `[texts, 2]`.
    """
    tensor = tf.constant(texts, tf.string)
    # Without a row there is no telling from the list.
    return tf.reshape(tensor, [-1, 2]) if pairs else tensor


def _check_text(text: Any, argument: str, place: str) -> None:
    if isinstance(text, str):
        if not text.isascii():
            _check_utf8(text, argument, place)
    elif is_missing(text):
        raise ValueError(
            f"`{argument}` has no text in {place}: {text!r}. Drop such rows (in "
            'pandas: `dropna`), or pass "" for an empty text.'
        )
    elif not isinstance(text, bytes):
        raise ValueError(
            f"`{argument}` must hold texts. Received in {place}: {quoted(text)}, "
            f"a {type(text).__name__}. Pass `str` values."
        )


def _check_utf8(text: str, argument: str, place: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"`{argument}` holds {ascii(text[error.start])} in {place}, half of a "
            "character that was cut in two. Remove it, for example with `text.encode("
            '"utf-8", "ignore").decode()`.'
        ) from error
