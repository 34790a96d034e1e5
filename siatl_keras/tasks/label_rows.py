"""The labels of texts that may have several, in the forms that users have them in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Set
from typing import Any

import numpy as np
import tensorflow as tf

from siatl_keras.inputs.column import Column
from siatl_keras.inputs.rows import quoted

SEPARATOR = ","


def matrix_of(values: Any) -> np.ndarray | None:
    """Returns labels that are given as a 0/1 matrix.

    Args:
        values: labels, as users pass them.

    Returns:
        `[texts, labels]`, not yet checked; `None` if they are given otherwise.
    """
    shape: Any = getattr(values, "shape", ())
    if isinstance(values, tf.RaggedTensor) or len(shape) != 2:
        return None
    if hasattr(values, "toarray"):  # SciPy's sparse ones
        return values.toarray()
    if shape[1] != 1 or hasattr(values, "columns"):
        return np.asarray(values)
    return None


def rows_of_labels(column: Column) -> list[list[Any]]:
    """Lists the labels of each text.

    Args:
        column: lists, tuples, sets, strings with commas, ragged rows, or single labels.

    Raises:
        ValueError: if one is missing or something else; the message names its place.
    """
    if isinstance(column.values, tf.RaggedTensor):
        column = dataclasses.replace(column, values=column.values.to_list())
    rows: list[list[Any]] = []
    for row, value in enumerate(column.rows()):
        if isinstance(value, str):
            parts = (part.strip() for part in value.split(SEPARATOR))
            rows.append([part for part in parts if part])
        elif isinstance(value, (list, tuple, Set, np.ndarray)):
            labels = list(value)
            inner = Column(labels, f"{column.argument}[{row}]")
            try:
                rows.append(inner.rows())
            except ValueError as error:
                raise ValueError(f"{column.place(row)}: {error}") from None
            _check_no_row_of_0_and_1(rows[-1], column, row)
        elif isinstance(value, Mapping) or not isinstance(
            value, (int, float, np.integer, np.floating)
        ):
            raise ValueError(
                f"{column.place(row)}: the labels of a text must be a list of names, "
                f"or a string such as 'joy,surprise'. Received: {quoted(value)}, a "
                f"{type(value).__name__}."
            )
        else:
            rows.append([value])
    return rows


def _check_no_row_of_0_and_1(labels: list[Any], column: Column, row: int) -> None:
    """Refuses a number twice, as lists of 0 and 1 have it that are no matrix."""
    kinds = (int, float, np.integer, np.floating)
    numbers = [label for label in labels if isinstance(label, kinds)]
    if len(set(numbers)) < len(numbers):
        raise ValueError(
            f"{column.place(row)} holds a label number twice: {quoted(labels)}. For "
            f"rows of 0 and 1, pass np.array({column.argument})."
        )
