"""`LayerGroups`: what optimizers and unfreezing take a language model apart into.

Source: Chronopoulou et al. 2019, section 3: task layers, LM layers, embeddings; and
Howard & Ruder 2018 (ULMFiT), section 3.2: each layer by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import keras_hub

from siatl_keras.compat import layer_parts
from siatl_keras.models.adapted_layer import AdaptedLayer, adapters
from siatl_keras.training import GroupedOptimizer

EMBEDDINGS = (
    keras.layers.Embedding,
    keras_hub.layers.PositionEmbedding,
    keras_hub.layers.TokenAndPositionEmbedding,
)


@dataclass(frozen=True)
class LayerGroups:
    """A model's layers by group, the top group first.

    Attributes:
        layers: dict of group to layers, each bottom layer first.
    """

    layers: Mapping[str, Sequence[Any]]

    @property
    def variables(self) -> dict[str, list[keras.Variable]]:
        """The weights that training may change, by group, whatever is frozen now."""
        return {
            name: [variable for layer in layers for variable in _learnable(layer)]
            for name, layers in self.layers.items()
        }

    @property
    def variables_by_layer(self) -> dict[str, list[keras.Variable]]:
        """The same, each layer of the backbone by itself, such as `backbone/lstm_1`.

        The top layer comes first.
        """
        by_layer: dict[str, list[keras.Variable]] = {}
        for group, layers in self.layers.items():
            for layer in reversed(layers):
                name = f"{group}/{layer.name}" if group == "backbone" else group
                variables = _learnable(layer)
                if variables:
                    by_layer[name] = by_layer.get(name, []) + variables
        return by_layer

    def bind(self, optimizer: Any) -> None:
        """Tells a `GroupedOptimizer` its variables: by layer if it has those groups.

        Args:
            optimizer: any Keras optimizer.

        Raises:
            ValueError: if it is no optimizer, or its groups are neither the model's nor
                the model's by layer.
        """
        if not isinstance(optimizer, keras.optimizers.Optimizer):
            raise ValueError(
                "`optimizer` must be a `keras.optimizers.Optimizer`, or its name. "
                f"Received: {optimizer!r}."
            )
        if not isinstance(optimizer, GroupedOptimizer) or optimizer.built:
            return
        by_layer = self.variables_by_layer
        names = set(optimizer.groups)
        optimizer.bind(by_layer if names == set(by_layer) else self.variables)


def groups_of(backbone: Any, *top: keras.layers.Layer) -> LayerGroups:
    """Takes a model apart: `task`, `backbone` and `embedding`.

    Embeddings of positions are embeddings too, and so is an LM head, tied or not. Where
    the backbone has low-rank adapters, its groups hold these alone (`AdaptedLayer`).

    Args:
        backbone: a causal language model's.
        *top: layers on top of it, the group `task`; without any there is none.
    """
    layers = [layer for layer in backbone.layers if layer.weights]
    if adapters(layers):
        layers = [AdaptedLayer(layer) for layer in layers if adapters([layer])]
    groups: dict[str, list[Any]] = {"task": list(top)} if top else {}
    groups |= {"backbone": [], "embedding": []}
    for layer in layers:
        inner = layer.layer if isinstance(layer, AdaptedLayer) else layer
        name = "embedding" if isinstance(inner, EMBEDDINGS) else "backbone"
        groups[name].append(layer)
    return LayerGroups(groups)


def _learnable(layer: Any) -> list[keras.Variable]:
    if isinstance(layer, AdaptedLayer):
        return layer.weights
    return layer_parts.learnable_variables([layer])
