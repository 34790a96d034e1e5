"""`Group`: which of a model's weights learn together; and a model taken apart so.

Source: Chronopoulou et al. 2019, section 3: task layers, LM layers, embeddings; and
Howard & Ruder 2018 (ULMFiT), section 3.2: each layer by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from siatl_keras.arguments import check_whole
from siatl_keras.compat import layer_parts

# Of positions too, and an LM head, tied or not.
_EMBEDDINGS = r"embedding/|embeddings(_[ab])?$"


@dataclass(frozen=True)
class Group:
    """A name, and which variables bear it.

    Of several groups that hold a variable, the first one has it; what none holds never
    learns.

    Attributes:
        name: such as "task".
        paths: regular expression that the variable's `path` contains; all by default.
        layers: int, how many of the layers with such variables are the group's, from
            the top; what is below is in no group. `None` for all.

    Raises:
        ValueError: if there is no name, `paths` is no regular expression, or `layers`
            no whole number from 1.

    Example:
    >>> biases = Group("biases", r"bias$")
    """

    name: str
    paths: str = ""
    layers: int | None = None

    def __post_init__(self) -> None:
        if self.layers is not None:
            check_whole(1, layers=self.layers)
        if not isinstance(self.name, str) or not self.name or "/" in self.name:
            raise ValueError(
                "`name` of a `Group` must be a string without a slash. Received: "
                f"name={self.name!r}."
            )
        try:
            re.compile(self.paths)
        except (re.error, TypeError) as error:
            raise ValueError(
                "`paths` must be a regular expression, such as '^task_head/'. "
                f"Received: paths={self.paths!r} ({error})."
            ) from error

    def holds(self, variable: keras.Variable) -> bool:
        """Says whether a variable is one of the group's."""
        return re.search(self.paths, variable.path) is not None


PAPER_GROUPS = (
    Group("task", r"^task_head/"),
    Group("backbone", rf"^(?!.*({_EMBEDDINGS}))"),
    Group("embedding"),
)


class LayerPart:
    """What of a layer learns together: all of it, or some of its weights.

    Freezing and thawing a Keras layer sets the flag of all its weights. That would wake
    those that `enable_lora` froze, or that are another group's.

    Args:
        layer: a layer.
        variables: those of its weights that are meant; all that may learn by default.

    Attributes:
        name: the layer's name.
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        variables: Sequence[keras.Variable] | None = None,
    ) -> None:
        everything = layer_parts.learnable_variables([layer])
        self.layer = layer
        self.name = layer.name
        self.variables = everything if variables is None else list(variables)
        self.is_whole = len(self.variables) == len(everything)

    @property
    def trainable(self) -> bool:
        """Whether the part learns."""
        if self.is_whole:
            return self.layer.trainable
        return any(variable.trainable for variable in self.variables)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if self.is_whole:
            self.layer.trainable = value
            return
        mine = {id(variable) for variable in self.variables}
        everything = layer_parts.learnable_variables([self.layer])
        others = [(v, v.trainable) for v in everything if id(v) not in mine]
        self.layer.trainable = value or any(learns for _, learns in others)
        for variable, learns in others:
            variable.trainable = learns
        for variable in self.variables:
            variable.trainable = value


@dataclass(frozen=True)
class LayerGroups:
    """A model's layers by group.

    Attributes:
        layers: dict of group to `LayerPart`s, each bottom layer first.
        others: what is in no group.
    """

    layers: Mapping[str, Sequence[LayerPart]]
    others: Sequence[LayerPart] = ()

    @property
    def variables(self) -> dict[str, list[keras.Variable]]:
        """The weights that training may change, by group, whatever is frozen now."""
        return {
            name: [variable for part in parts for variable in part.variables]
            for name, parts in self.layers.items()
        }

    @property
    def variables_by_layer(self) -> dict[str, list[keras.Variable]]:
        """The same, the top layer first, each of a group by itself.

        Layers are called as `backbone/lstm_1` where the group has several.
        """
        by_layer: dict[str, list[keras.Variable]] = {}
        for group, parts in self.layers.items():
            for part in reversed(parts):
                name = f"{group}/{part.name}" if len(parts) > 1 else group
                by_layer[name] = by_layer.get(name, []) + part.variables
        return by_layer


def groups_of(model: Any, groups: Sequence[Group] = PAPER_GROUPS) -> LayerGroups:
    """Takes a model apart.

    Args:
        model: has `parts`, the `LayerPart`s that may learn, the bottom one first.
        groups: the top one first. One may be empty, as a language model's `task`.
    """
    layers: dict[str, list[LayerPart]] = {group.name: [] for group in groups}
    others: list[LayerPart] = []
    for part in model.parts:
        shares: dict[str | None, list[keras.Variable]] = {}
        for variable in part.variables:
            name = next((g.name for g in groups if g.holds(variable)), None)
            shares.setdefault(name, []).append(variable)
        for name, variables in shares.items():
            found = others if name is None else layers[name]
            found.append(LayerPart(part.layer, variables))
    for group in groups:
        if group.layers is not None:
            others += layers[group.name][: -group.layers]
            del layers[group.name][: -group.layers]
    return LayerGroups(layers, others)
