"""`LabelMap`: the names of the classes, in the order of their numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from siatl_keras.data.excerpt import excerpt, listed
from siatl_keras.data.readers import Examples
from siatl_keras.data.visible_form import visible_form


class LabelMap:
    """Turns labels of files into class numbers.

    Args:
        names: names of the classes, in the order of their numbers.

    Raises:
        ValueError: if there are fewer than two, or two look alike.
    """

    def __init__(self, names: Sequence[str]) -> None:
        if isinstance(names, str) or not isinstance(names, Sequence):
            raise ValueError(
                f"`names` must be a list, whose order counts. Received: {names!r}."
            )
        self.names = [str(name) for name in names]
        seen: dict[str, str] = {}
        for name in self.names:
            form = visible_form(name)
            if form in seen:
                raise ValueError(
                    f"`names` must differ in what can be seen. Received: "
                    f"{excerpt(seen[form])} and {excerpt(name)}."
                )
            seen[form] = name
        if len(self.names) < 2:
            raise ValueError(f"`names` must be two or more. Received: {self.names}.")

    @classmethod
    def from_examples(cls, examples: Examples) -> LabelMap:
        """Collects the labels of the training file: by number if all are, else by name.

        Args:
            examples: the training examples.

        Raises:
            ValueError: if all examples have one label, or two labels differ only in
                characters that cannot be seen.
        """
        lines: dict[str, int] = {}
        for label, line in zip(examples.labels, examples.lines, strict=True):
            lines.setdefault(label, line)
        seen: dict[str, str] = {}
        for name, line in lines.items():
            other = seen.setdefault(visible_form(name), name)
            if other != name:
                raise ValueError(
                    f"{examples.path}, lines {lines[other]} and {line}: the labels "
                    f"{excerpt(other)} and {excerpt(name)} differ only in characters "
                    "that cannot be seen. Write them alike."
                )
        names = set(lines)
        if len(names) < 2:
            raise ValueError(
                f"{examples.path}: all {len(examples.labels)} examples are labelled "
                f"{excerpt(examples.labels[0])}. A classifier needs at least two "
                "classes."
            )
        return cls(sorted(names, key=_by_number_or_name(names)))

    def __len__(self) -> int:
        return len(self.names)

    def encode(self, examples: Examples) -> np.ndarray:
        """Looks labels up.

        Args:
            examples: examples of any file.

        Returns:
            int32 `[examples]`.

        Raises:
            ValueError: at the first label that training did not have.
        """
        numbers = {_as_in_files(name): i for i, name in enumerate(self.names)}
        for label, line in zip(examples.labels, examples.lines, strict=True):
            if label not in numbers:
                raise ValueError(
                    f"{examples.path}, line {line}: the label {excerpt(label)} is not "
                    f"among those of the training file: {listed(self.names)}. "
                    f"{self._remedy(label)}"
                )
        return np.array([numbers[label] for label in examples.labels], "int32")

    def _remedy(self, label: str) -> str:
        for name in self.names:
            if visible_form(name) == visible_form(label):
                return (
                    f"It differs from {excerpt(name)} only in characters that cannot "
                    "be seen. Write them alike."
                )
        return "Correct it, or add examples of it to the training file."


def _as_in_files(name: str) -> str:
    """Gives a name the form that `read_examples` gives to labels."""
    return unicodedata.normalize("NFC", name.strip())


def _by_number_or_name(names: Iterable[str]):  # noqa: ANN202
    if all(re.fullmatch("-?[0-9]{1,18}", name) for name in names):
        # The name decides between "1" and "01".
        return lambda name: (int(name), name)
    return str
