"""`LayerGroups`: what optimizers and unfreezing take a language model apart into.

Source: Chronopoulou et al. 2019, section 3: task layers, LM layers, embeddings; and
Howard & Ruder 2018 (ULMFiT), section 3.2: each layer by itself.
"""

from __future__ import annotations

from typing import Any

import keras

from siatl_keras import _keras_internals
from siatl_keras.training import GroupedOptimizer


class LayerGroups:
    """Mixin for a `keras_hub.models.Task` on a backbone with a `token_embedding`."""

    @property
    def top_layers(self) -> tuple[keras.layers.Layer, ...]:
        """Layers on top of the backbone; a tied LM head is the embedding's."""
        return ()

    @property
    def layer_groups(self) -> dict[str, list[keras.layers.Layer]]:
        """The groups `task`, `backbone` and `embedding`, each bottom layer first.

        A model without layers of its own on top has no group `task`.
        """
        backbone: Any = self.backbone  # type: ignore[attr-defined]
        embedding = backbone.token_embedding
        below = [
            layer
            for layer in backbone.layers
            if layer is not embedding and layer.variables
        ]
        groups = {"backbone": below, "embedding": [embedding]}
        top = list(self.top_layers)
        return {"task": top, **groups} if top else groups

    @property
    def variable_groups(self) -> dict[str, list[keras.Variable]]:
        """The weights that training may change, by group, whatever is frozen now."""
        return {
            name: _keras_internals.learnable_variables(layers)
            for name, layers in self.layer_groups.items()
        }

    @property
    def variable_groups_by_layer(self) -> dict[str, list[keras.Variable]]:
        """The same, each layer of the backbone by itself, such as `backbone/lstm_1`.

        The top layer comes first.
        """
        by_layer: dict[str, list[keras.Variable]] = {}
        for group, layers in self.layer_groups.items():
            for layer in reversed(layers):
                name = f"{group}/{layer.name}" if group == "backbone" else group
                variables = _keras_internals.learnable_variables([layer])
                if variables:
                    by_layer[name] = by_layer.get(name, []) + variables
        return by_layer

    def bind_optimizer(self, optimizer: Any) -> None:
        """Tells a `GroupedOptimizer` its variables: by layer if it has those groups.

        Args:
            optimizer: any Keras optimizer.

        Raises:
            ValueError: if its groups are neither the model's nor the model's by layer.
        """
        if not isinstance(optimizer, GroupedOptimizer) or optimizer.built:
            return
        by_layer = self.variable_groups_by_layer
        names = set(optimizer.groups)
        optimizer.bind(by_layer if names == set(by_layer) else self.variable_groups)
