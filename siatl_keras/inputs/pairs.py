"""`as_pairs`: pairs of texts as a list of tuples, from whatever users keep them in."""

from __future__ import annotations

from typing import Any

import numpy as np

from siatl_keras.inputs.rows import columns_of, quoted, rows_of

# How messages call the two.
SIDES = ("first", "second")


def as_pairs(values: Any, argument: str) -> list[tuple[Any, Any]]:
    """Lists pairs, by position; that each side is a text is for `as_texts` to check.

    Rows are what counts: a tuple of two is two rows, never two columns.

    Args:
        values: what `rows_of` takes, of tuples, lists or arrays of two; a `[rows, 2]`
            array or tensor; or a table of two columns, such as a pandas DataFrame
            or a `datasets.Dataset`.
        argument: name of the argument, for messages.

    Returns:
        list of tuples.

    Raises:
        ValueError: if it is no column of pairs; the message names the first row, from
            0, that is none.

    Example:
    >>> as_pairs([["so glad", "what a day"]], "x")
    [('so glad', 'what a day')]
    """
    columns = columns_of(values)
    if columns is not None:
        names = [str(name) for name in columns]
        if len(names) != 2:
            raise ValueError(
                f"`{argument}` must be two columns, the two texts of each pair. "
                f"Received a table with the columns {names[:8]}. Pass two of them, "
                "such as table[['first', 'second']]."
            )
        if hasattr(values, "to_numpy"):  # pandas, where both may have one name
            values = values.to_numpy()
        else:
            sides = (rows_of(values[name], argument) for name in columns)
            values = list(zip(*sides, strict=True))
    shape: Any = getattr(values, "shape", ())
    if len(shape) == 2:
        if shape[1] != 2:
            raise ValueError(
                f"`{argument}` must be pairs of texts, [rows, 2]. Received a "
                f"{type(values).__name__} of shape {tuple(shape)}."
            )
        values = np.asarray(values).tolist()
    rows = rows_of(values, argument)
    return [_as_pair(row, argument, number) for number, row in enumerate(rows)]


def is_pair(row: Any) -> bool:
    """Tells whether a row is a tuple, list or array of two strings.

    Args:
        row: anything.
    """
    if not isinstance(row, (tuple, list, np.ndarray)) or len(row) != 2:
        return False
    return all(isinstance(side, (str, bytes)) for side in row)


def _as_pair(row: Any, argument: str, number: int) -> tuple[Any, Any]:
    if isinstance(row, (str, bytes)):
        raise ValueError(
            f"`{argument}` must hold pairs of texts, such as (first, second). Received "
            f"in row {number}: {quoted(row)}, a single text. Pass both texts; or, for "
            "single texts, make the model without `pairs=True`."
        )
    if not isinstance(row, (tuple, list, np.ndarray)):
        raise ValueError(
            f"`{argument}` must hold pairs of texts, such as (first, second). Received "
            f"in row {number}: {quoted(row)}, a {type(row).__name__}."
        )
    if len(row) != 2:
        raise ValueError(
            f"`{argument}` must hold pairs of texts, such as (first, second). Received "
            f"in row {number}: a {type(row).__name__} of {len(row)}. Of two columns, "
            "pass rows: list(zip(first, second))."
        )
    return tuple(row)
