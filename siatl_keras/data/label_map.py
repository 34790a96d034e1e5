"""`LabelMap`: the names of the classes, in the order of their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from siatl_keras.data.readers import Examples


class LabelMap:
    """Turns labels of files into class numbers.

    Args:
        names: names of the classes, in the order of their numbers.

    Raises:
        ValueError: if there are fewer than two, or one repeats.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = [str(name) for name in names]
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"`names` must differ. Received: {self.names}.")
        if len(self.names) < 2:
            raise ValueError(f"There must be two classes. Received: {self.names}.")

    @classmethod
    def from_examples(cls, examples: Examples) -> LabelMap:
        """Collects the labels of the training file: by number if all are, else by name.

        Args:
            examples: the training examples.

        Raises:
            ValueError: if all examples have one label.
        """
        names = set(examples.labels)
        if len(names) < 2:
            raise ValueError(
                f"{examples.path}: all {len(examples.labels)} examples are labelled "
                f"{examples.labels[0]!r}. A classifier needs at least two classes."
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
        numbers = {name: number for number, name in enumerate(self.names)}
        for label, line in zip(examples.labels, examples.lines, strict=True):
            if label not in numbers:
                raise ValueError(
                    f"{examples.path}, line {line}: the label {label!r} is not among "
                    f"those of the training file: {self.names}. Correct it, or add "
                    "examples of it to the training file."
                )
        return np.array([numbers[label] for label in examples.labels], "int32")


def _by_number_or_name(names: Iterable[str]):  # noqa: ANN202
    if all(re.fullmatch("-?[0-9]{1,18}", name) for name in names):
        # The name decides between "1" and "01".
        return lambda name: (int(name), name)
    return str
