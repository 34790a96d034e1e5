"""`LabelNames`: names of labels in the order of their numbers, and how both read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from siatl_keras.data.excerpt import excerpt, listed
from siatl_keras.data.visible_form import visible_form
from siatl_keras.inputs.column import Column
from siatl_keras.inputs.refusals import check_rank_one, refuse_row
from siatl_keras.inputs.rows import quoted, rows_of
from siatl_keras.inputs.soft_labels import soft_label_encoder, soft_labels


class LabelNames(Sequence[str]):
    """Names of classes, levels or labels, in the order of their numbers.

    Labels are names (str) or numbers from 0. Where names are whole numbers too, such as
    "1" to "5", integers are the names if only that reading is possible, and are refused
    if both are.

    Args:
        names: str or int, in the order of their numbers.
        argument: how messages call `names`.

    Raises:
        ValueError: if there are fewer than two, they have no order, or two are the same
            or differ in nothing that can be seen.

    Example:
    >>> stars = LabelNames([1, 2, 3])
    >>> stars.encode(Column([3, 1, 2, 3], "y")).tolist()
    [2, 0, 1, 2]
    """

    def __init__(self, names: Any, argument: str = "label_names") -> None:
        self._names = [
            _name(name, row, argument)
            for row, name in enumerate(rows_of(names, argument))
        ]
        if len(self._names) < 2:
            raise ValueError(
                f"`{argument}` must be two at least. Received: {self._names}."
            )
        first: dict[str, str] = {}
        for name in self._names:
            form = visible_form(name)
            if not form:
                raise ValueError(
                    f"`{argument}` must not hold an empty name. Received: "
                    f"{listed(self._names)}."
                )
            if (twin := first.get(form)) is not None:
                raise ValueError(
                    f"`{argument}` must differ. Received {twin!a} and {name!a}"
                    f"{'' if twin == name else ', which look alike'}."
                )
            first[form] = name
        self._by_form = first
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self._in_files = {_as_in_files(name): i for name, i in self._numbers.items()}

    @classmethod
    def found_in(cls, labels: Iterable[tuple[str, str]]) -> LabelNames:
        """Collects names from labels: in the order of numbers if all are, else by name.

        Args:
            labels: the place and the label of each, such as ("`y`, row 3", "yes").

        Raises:
            ValueError: if all are the same, or two differ only in characters that
                cannot be seen.
        """
        places: dict[str, str] = {}
        last = ""
        for last, label in labels:
            places.setdefault(label, last)
        seen: dict[str, str] = {}
        for name, place in places.items():
            other = seen.setdefault(visible_form(name), name)
            if other != name:
                raise ValueError(
                    f"{places[other]} and {place}: the labels {excerpt(other)} and "
                    f"{excerpt(name)} differ only in characters that cannot be seen. "
                    "Write them alike."
                )
        if len(places) < 2:
            only = f"the only label is {excerpt(*places)}" if places else "no label"
            raise ValueError(
                f"{last or 'The labels'}: there must be two different labels at least; "
                f"found: {only}."
            )
        return cls(sorted(places, key=_by_number_or_name(places)))

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, number: Any) -> Any:
        return self._names[number]

    @property
    def numbers(self) -> dict[str, int]:
        """The number of each name."""
        return self._numbers

    @property
    def ambiguous_number(self) -> int | None:
        """The first integer that is one's number and another's name, if any."""
        for number in range(len(self)):
            if self._numbers.get(str(number), number) != number:
                return number
        return None

    def encode(self, column: Column) -> np.ndarray:
        """Turns labels into their numbers.

        Args:
            column: one label for each text: names, or whole numbers (`1.0` is one); or
                soft labels, see `soft_labels`.

        Returns:
            int32 `[texts]`; of soft labels, float32 `[texts, labels]`.

        Raises:
            ValueError: if a label is missing or unknown, or integers can be read both
                as names and as numbers; the message names its place.
        """
        soft = soft_labels(column, self)
        if soft is not None:
            return soft
        shape: Any = getattr(column.values, "shape", ())
        is_table = getattr(column.values, "columns", None) is not None
        if len(shape) == 2 and shape[1] != 1 and not is_table:
            raise ValueError(
                f"{column.name} must hold one label for each text. Received shape "
                f"{tuple(shape)}. Rows of probabilities, or one-hot rows, need a "
                f"number for each of {listed(self._names)}; for several labels per "
                "text, pass task=MultiLabel(…)."
            )
        return self.encode_rows(column.rows(), column, column.place)

    def encode_rows(
        self, rows: list[Any], column: Column, place: Callable[[int], str]
    ) -> np.ndarray:
        """Turns a list of labels into their numbers.

        Args:
            rows: names, or whole numbers.
            column: where they come from.
            place: says where a row stands.

        Returns:
            int32 `[rows]`.

        Raises:
            ValueError: as `encode`.
        """
        if all(isinstance(label, str) for label in rows):
            known = self._in_files if column.is_file else self._numbers
            for row, label in enumerate(rows):
                if label not in known:
                    raise self._unknown(label, place(row))
            return np.array([known[label] for label in rows], "int32")
        labels = [_whole(label, place(row)) for row, label in enumerate(rows)]
        return self._of_integers(labels, column, place)

    def graph_encoder(
        self, spec: tf.TensorSpec, argument: str, check_shape: bool = True
    ) -> Callable[[tf.Tensor], tf.Tensor]:
        """Makes the function that does `encode` for a dataset's batches.

        Args:
            spec: what the dataset yields for labels, string or numbers `[batch]` or
                `[batch, 1]`; or soft labels `[batch, labels]`.
            argument: name of the argument, for messages.
            check_shape: whether `spec` must be of that shape.

        Returns:
            a function of labels to what `encode` returns. It ends the iteration at an
            unknown one, see `siatl_keras.inputs.refusals`.

        Raises:
            ValueError: if the labels are not of such a form, or are numbers that can be
                read in two ways.
        """
        what = f"The labels of `{argument}`"
        if check_shape:
            soft = soft_label_encoder(spec, self, argument)
            if soft is not None:
                return soft
            if isinstance(spec, tf.TensorSpec) and spec.shape.rank == 2:
                if spec.shape[1] != 1:
                    raise ValueError(
                        f"{what} must be [batch], or probabilities [batch, "
                        f"{len(self)}]. Received {spec.shape}. For several labels per "
                        "text, pass task=MultiLabel(…)."
                    )
            else:
                check_rank_one(spec, what, spec)
        if spec.dtype == tf.string:
            return self._name_encoder(argument)
        if not (spec.dtype.is_integer or spec.dtype.is_floating or spec.dtype.is_bool):
            raise ValueError(
                f"{what} must be class names or numbers. Received {spec.dtype.name}."
            )
        number = self.ambiguous_number
        if number is not None:
            raise ValueError(
                f"{what} are numbers, and the names of the classes are numbers too, in "
                f"another order: {number} can be read as class number {number}, which "
                f"is {self[number]!r}, or as the name '{number}'. Pass names: "
                "dataset.map(lambda text, label: (text, tf.strings.as_string(label)))."
            )
        return self._number_encoder(argument)

    def _name_encoder(self, argument: str) -> Callable[[tf.Tensor], tf.Tensor]:
        lookup = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(self._names), tf.range(len(self))
            ),
            default_value=-1,
        )
        why = f"none of the model's classes {listed(self._names)}"

        def encode(labels: tf.Tensor) -> tf.Tensor:
            labels = tf.reshape(labels, [-1])
            numbers = lookup.lookup(labels)
            return refuse_row(numbers < 0, labels, argument, why, numbers)

        return encode

    def _number_encoder(self, argument: str) -> Callable[[tf.Tensor], tf.Tensor]:
        why = (
            f"none of the model's classes {listed(self._names)}, whose numbers are 0 "
            f"to {len(self) - 1}"
        )

        def encode(labels: tf.Tensor) -> tf.Tensor:
            labels = tf.reshape(labels, [-1])
            values, numbers = tf.cast(labels, tf.float64), tf.cast(labels, tf.int32)
            right = (values >= 0) & (values < len(self))
            right &= tf.cast(numbers, tf.float64) == values
            shown = tf.strings.as_string(values, shortest=True)
            return refuse_row(~right, shown, argument, why, numbers)

        return encode

    def _unknown(self, label: str, place: str) -> ValueError:
        twin = self._by_form.get(visible_form(label))
        if twin is not None:
            return ValueError(
                f"{place}: the label {label!a} differs from the class {twin!a} in "
                "white space, invisible characters or Unicode form alone. Write them "
                "alike."
            )
        return ValueError(
            f"{place}: the label {excerpt(label)} is not among the classes "
            f"{listed(self._names)}. Correct it, or train on examples of it too."
        )

    def _of_integers(
        self, labels: list[Any], column: Column, place: Callable[[int], str]
    ) -> np.ndarray:
        values = [int(label) for label in labels]
        as_numbers = all(0 <= value < len(self) for value in values)
        names = [self._numbers.get(str(label)) for label in labels]
        as_names = None not in names
        if as_numbers and as_names and names != values:
            shown = sorted(set(values))[:8]
            raise ValueError(
                f"{column.name} holds {shown}, which can be read in two ways: as class "
                f"numbers, they are the classes {[self[value] for value in shown]}; as "
                f"names, {[str(value) for value in shown]}. Pass names as strings: "
                f"[str(label) for label in {column.argument}]."
            )
        if as_names:
            return np.array(names, "int32")
        if as_numbers:
            return np.array(values, "int32")
        row = next(
            row for row, value in enumerate(values) if not 0 <= value < len(self)
        )
        raise ValueError(
            f"{place(row)}: {labels[row]} is neither a class number, from 0 to "
            f"{len(self) - 1}, nor among the classes {listed(self._names)}."
        )


def _name(name: Any, row: int, argument: str) -> str:
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    if isinstance(name, bool) or not isinstance(name, (str, int, np.integer)):
        raise ValueError(
            f"`{argument}` must hold str or int. Received in row {row}: "
            f"{quoted(name)}, a {type(name).__name__}."
        )
    return str(name)


def _whole(label: Any, place: str) -> Any:
    """Returns a bool or an int; refuses fractions and everything else."""
    if isinstance(label, (bool, np.bool_)):
        return bool(label)
    if isinstance(label, (int, np.integer)):
        return int(label)
    if isinstance(label, (float, np.floating)) and float(label).is_integer():
        return int(label)
    raise ValueError(
        f"{place}: labels must be names, or whole numbers, and not both. Received: "
        f"{quoted(label)}, a {type(label).__name__}."
    )


def _as_in_files(name: str) -> str:
    """Gives a name the form that `read_examples` gives to labels."""
    return unicodedata.normalize("NFC", name.strip())


def _by_number_or_name(names: Iterable[str]):  # noqa: ANN202
    if all(re.fullmatch("-?[0-9]{1,18}", name) for name in names):
        # The name decides between "1" and "01".
        return lambda name: (int(name), name)
    return str
