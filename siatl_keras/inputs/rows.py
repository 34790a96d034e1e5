"""`rows_of`: the rows of a column of data, by position, whatever holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

import numpy as np

# Characters quoted of what was received.
QUOTED = 40


def columns_of(values: Any) -> list[Any] | None:
    """Lists the names of a table's columns; `None` for what is no table.

    Args:
        values: anything; tables are pandas' DataFrames, `datasets.Dataset`s of Hugging
            Face, and tables of Arrow.
    """
    for attribute in ("column_names", "columns"):
        names = getattr(values, attribute, None)
        if names is not None and not isinstance(names, Mapping):
            return list(names)
    return None


def rows_of(values: Any, argument: str) -> list[Any]:
    """Lists the rows of a column.

    Args:
        values: list, tuple, 1-D numpy array or tensor, pandas Series (its index is
            ignored), or another ordered container, such as a column of a
            `datasets.Dataset`.
        argument: name of the argument, for messages.

    Returns:
        list of the values; numpy's and TensorFlow's as Python's.

    Raises:
        ValueError: if it is one string, has no order or no length, or is a table.
    """
    if isinstance(values, (str, bytes)):
        raise ValueError(
            f"`{argument}` must be a list. Received one string, {quoted(values)}. Pass "
            f"a list: [{quoted(values)}]."
        )
    if isinstance(values, (list, tuple)):
        return list(values)
    if isinstance(values, (Mapping, Set)):
        raise ValueError(
            f"`{argument}` must be in order. Received a {type(values).__name__}. Pass "
            "a list."
        )
    columns = columns_of(values)
    if columns is not None:
        names = [str(name) for name in columns][:8]
        raise ValueError(
            f"`{argument}` must be one column. Received a table with the columns "
            f"{names}. Pass one of them, such as table[{names[0]!r}]."
            if names
            else f"`{argument}` must be one column. Received a table without columns."
        )
    if isinstance(values, Iterator):
        raise ValueError(
            f"`{argument}` must have a length. Received a {type(values).__name__}. "
            f"Pass a list: list({argument}); or, for data that is not in memory, a "
            "`tf.data.Dataset` or a `keras.utils.PyDataset`."
        )
    shape = getattr(values, "shape", None)
    if shape is not None and len(shape) != 1:
        raise ValueError(
            f"`{argument}` must have one dimension. Received a "
            f"{type(values).__name__} of shape {tuple(shape)}."
        )
    if hasattr(values, "to_pylist"):  # Arrow
        return values.to_pylist()
    if hasattr(values, "to_numpy"):  # pandas, whose lookup by number goes by the index
        return list(values)
    if hasattr(values, "__array__") and hasattr(values, "dtype"):
        return np.asarray(values).tolist()
    if hasattr(values, "__len__") and hasattr(values, "__getitem__"):
        return [values[row] for row in range(len(values))]
    raise ValueError(
        f"`{argument}` must be a list, tuple, array, tensor, pandas Series, "
        f"`tf.data.Dataset` or `keras.utils.PyDataset`. Received: "
        f"{type(values).__name__}."
    )


def is_missing(value: Any) -> bool:
    """Tells whether a value is None, NaN, or pandas's mark for a missing one."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def quoted(value: Any) -> str:
    """Returns the beginning of a value, for messages."""
    text = repr(value)
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}…"
