"""`ClassLabels`: class names or numbers, as users pass them, to class numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from siatl_keras.data.visible_form import visible_form
from siatl_keras.inputs.rows import is_missing, quoted, rows_of

# Names and labels that a message lists at most.
LISTED = 8


class ClassLabels:
    """Names of classes in the order of their numbers, and the reading of labels.

    Labels are names (str) or numbers from 0. Where names are whole numbers too, such as
    "1" to "5", integers are the names if only that reading is possible, and are refused
    if both are.

    Args:
        names: names of the classes, str or int, in the order of their numbers.

    Raises:
        ValueError: if there are fewer than two, they have no order, or two are the same
            or differ in nothing that can be seen.

    Example:
    >>> stars = ClassLabels([1, 2, 3])
    >>> stars.encode([3, 1, 2, 3], "y").tolist()
    [2, 0, 1, 2]
    """

    def __init__(self, names: Any) -> None:
        self.names = [
            _name(name, row) for row, name in enumerate(rows_of(names, "label_names"))
        ]
        if len(self.names) < 2:
            raise ValueError(
                f"`label_names` must name two classes at least. Received: {self.names}."
            )
        first: dict[str, str] = {}
        for name in self.names:
            if not visible_form(name):
                raise ValueError(
                    "`label_names` must not hold an empty name. Received: "
                    f"{_listed(self.names)}."
                )
            if (twin := first.get(visible_form(name))) is not None:
                raise ValueError(
                    f"`label_names` must differ. Received {twin!a} and {name!a}"
                    f"{'' if twin == name else ', which look alike'}."
                )
            first[visible_form(name)] = name
        self.numbers = {name: number for number, name in enumerate(self.names)}
        self._by_form = first

    def __len__(self) -> int:
        return len(self.names)

    @property
    def ambiguous_number(self) -> int | None:
        """The first integer that is one class's number and another's name, if any."""
        for number in range(len(self)):
            if self.numbers.get(str(number), number) != number:
                return number
        return None

    def encode(self, labels: Any, argument: str) -> np.ndarray:
        """Turns labels into class numbers.

        Args:
            labels: what `rows_of` takes, or a `[texts, 1]` array: names, or whole
                numbers (`1.0` is one).
            argument: name of the argument, for messages.

        Returns:
            int32 `[texts]`.

        Raises:
            ValueError: if a label is missing, or no class of the model, or integers can
                be read both as names and as numbers; the message names the row, from 0.
        """
        rows = _labels_of(labels, argument)
        for row, label in enumerate(rows):
            if is_missing(label):
                raise ValueError(
                    f"`{argument}` has no label in row {row}: {label!r}. Drop the row, "
                    "or label it."
                )
        if all(isinstance(label, str) for label in rows):
            return np.array(
                [self._of_name(label, argument, row) for row, label in enumerate(rows)],
                "int32",
            )
        return self._of_integers(
            [_whole(label, argument, row) for row, label in enumerate(rows)], argument
        )

    def _of_name(self, label: str, argument: str, row: int) -> int:
        if label in self.numbers:
            return self.numbers[label]
        twin = self._by_form.get(visible_form(label))
        if twin is not None:
            raise ValueError(
                f"`{argument}` holds {label!a} in row {row}, which differs from the "
                f"class {twin!a} in white space, invisible characters or Unicode form "
                "alone. Make them the same."
            )
        raise ValueError(
            f"`{argument}` holds {quoted(label)} in row {row}, which is not among the "
            f"model's classes {_listed(self.names)}."
        )

    def _of_integers(self, labels: list[Any], argument: str) -> np.ndarray:
        values = [int(label) for label in labels]
        as_numbers = all(0 <= value < len(self) for value in values)
        names = [self.numbers.get(str(label)) for label in labels]
        as_names = None not in names
        if as_numbers and as_names and names != values:
            shown = sorted(set(values))[:LISTED]
            raise ValueError(
                f"`{argument}` holds {shown}, which can be read in two ways: as class "
                "numbers, they are the classes "
                f"{[self.names[value] for value in shown]}; as names, "
                f"{[str(value) for value in shown]}. Pass names as strings: "
                f"[str(label) for label in {argument}]."
            )
        if as_names:
            return np.array(names, "int32")
        if as_numbers:
            return np.array(values, "int32")
        row = next(
            row for row, value in enumerate(values) if not 0 <= value < len(self)
        )
        raise ValueError(
            f"`{argument}` must hold class numbers from 0 to {len(self) - 1}, or names "
            f"among {_listed(self.names)}. Received in row {row}: {labels[row]}."
        )


def class_names(num_classes: int | None, label_names: Any) -> list[str]:
    """Names the classes of a model: as given, or by their numbers.

    Args:
        num_classes: int, may be left out with `label_names`.
        label_names: see `ClassLabels`, may be left out with `num_classes`.

    Returns:
        the names.

    Raises:
        ValueError: if both are missing, they disagree, or one is malformed.
    """
    if num_classes is None and label_names is None:
        raise ValueError("Pass `num_classes`, or `label_names` with a name for each.")
    if num_classes is not None and (
        isinstance(num_classes, bool)
        or not isinstance(num_classes, (int, np.integer))
        or num_classes < 2
    ):
        raise ValueError(
            "`num_classes` must be a whole number from 2. Received: "
            f"num_classes={num_classes!r}."
        )
    if label_names is None:
        return [str(number) for number in range(num_classes or 0)]
    names = ClassLabels(label_names).names
    if num_classes not in (None, len(names)):
        raise ValueError(
            "`num_classes` must be the number of `label_names`. Received: "
            f"num_classes={num_classes}, label_names={_listed(names)}."
        )
    return names


def _name(name: Any, row: int) -> str:
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    if not isinstance(name, (str, int, np.integer)):
        raise ValueError(
            "`label_names` must hold str or int. Received in row "
            f"{row}: {quoted(name)}, a {type(name).__name__}."
        )
    return str(name)


def _labels_of(labels: Any, argument: str) -> list[Any]:
    shape: Any = getattr(labels, "shape", ())
    if len(shape) == 2 and shape[1] == 1:
        labels = np.asarray(labels)[:, 0]
    elif len(shape) == 2 and getattr(labels, "columns", None) is None:
        raise ValueError(
            f"`{argument}` must hold one label for each text. Received shape "
            f"{tuple(shape)}. Of one-hot labels, pass {argument}.argmax(axis=1)."
        )
    return [
        label.decode("utf-8", "replace") if isinstance(label, bytes) else label
        for label in rows_of(labels, argument)
    ]


def _whole(label: Any, argument: str, row: int) -> Any:
    """Returns a bool or an int; refuses fractions and everything else."""
    if isinstance(label, (bool, np.bool_)):
        return bool(label)
    if isinstance(label, (int, np.integer)):
        return int(label)
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        return int(label)
    raise ValueError(
        f"`{argument}` must hold class names, or whole numbers, and not both. Received "
        f"in row {row}: {quoted(label)}, a {type(label).__name__}."
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:LISTED])
    return f"[{shown}{', …' if len(names) > LISTED else ''}]"
