"""`labelled_texts`: texts, targets and weights, checked against one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from siatl_keras.inputs.column import Column
from siatl_keras.inputs.rows import quoted, rows_of
from siatl_keras.inputs.soft_labels import looked_up
from siatl_keras.inputs.texts import as_texts


@dataclass(frozen=True)
class LabelledTexts:
    """Texts and what goes with them, row by row.

    Attributes:
        texts: list of str or UTF-8 bytes, or of tuples of two.
        targets: what the task learns, `[texts]` or `[texts, …]`; or soft labels.
        weights: float32 `[texts]`, weights of the task loss; `None` if all are 1.
    """

    texts: list[Any]
    targets: np.ndarray
    weights: np.ndarray | None

    def __len__(self) -> int:
        return len(self.texts)

    def rows(self, positions: np.ndarray) -> LabelledTexts:
        """Returns some of the rows.

        Args:
            positions: int array.
        """
        return LabelledTexts(
            [self.texts[position] for position in positions],
            self.targets[positions],
            None if self.weights is None else self.weights[positions],
        )

    def weighted_by_class(self, table: np.ndarray) -> LabelledTexts:
        """Multiplies each row's weight by that of its class.

        Args:
            table: float `[classes]`.
        """
        weights = np.asarray(looked_up(table, self.targets))
        if self.weights is not None:
            weights = weights * self.weights
        return LabelledTexts(self.texts, self.targets, weights.astype("float32"))


def labelled_texts(
    x: Any,
    y: Any,
    sample_weight: Any,
    task: Any,
    names: tuple[str, str, str] = ("x", "y", "sample_weight"),
    pairs: bool = False,
) -> LabelledTexts:
    """Turns what users pass into texts, targets and weights.

    Args:
        x: texts, see `as_texts`.
        y: labels, as the task takes them.
        sample_weight: numbers, one for each text, or `None`.
        task: what is learned, a `siatl_keras.tasks.Task`.
        names: how messages call the three.
        pairs: whether texts come in pairs.

    Returns:
        `LabelledTexts`.

    Raises:
        ValueError: if one is missing or malformed, or they differ in length.
    """
    if x is None:
        raise ValueError(f"`{names[0]}` is missing. Pass a list of texts.")
    texts = as_texts(x, names[0], pairs=pairs)
    if y is None:
        raise ValueError(
            f"`{names[1]}` is missing. Pass a label for each of the {len(texts)} texts."
        )
    targets = task.encode(Column(y, names[1]))
    _check_length(targets, texts, names[1])
    weights = None
    if sample_weight is not None:
        weights = as_weights(sample_weight, names[2])
        _check_length(weights, texts, names[2])
    return LabelledTexts(texts, targets, weights)


def as_weights(sample_weight: Any, argument: str) -> np.ndarray:
    """Checks weights of texts.

    Args:
        sample_weight: what `rows_of` takes, or a `[texts, 1]` array, of numbers.
        argument: name of the argument, for messages.

    Returns:
        float32 `[texts]`.

    Raises:
        ValueError: if one is not a finite number, or negative; with its row.
    """
    shape: Any = getattr(sample_weight, "shape", ())
    if len(shape) == 2 and shape[1] == 1:
        sample_weight = np.asarray(sample_weight)[:, 0]
    rows = rows_of(sample_weight, argument)
    for row, weight in enumerate(rows):
        is_number = isinstance(weight, (int, float, np.bool_, np.integer, np.floating))
        if not is_number or not np.isfinite(weight) or weight < 0:
            raise ValueError(
                f"`{argument}` must hold finite numbers that are not negative. "
                f"Received in row {row}: {quoted(weight)}."
            )
    return np.array(rows, "float32")


def _check_length(values: np.ndarray, texts: list[Any], argument: str) -> None:
    if len(values) != len(texts):
        raise ValueError(
            f"`{argument}` must have one value for each text. Received: {len(values)} "
            f"for {len(texts)} texts."
        )
