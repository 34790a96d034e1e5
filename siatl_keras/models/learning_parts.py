"""`learning_parts`: which layers of a model may learn, and what of them.

With low-rank adapters (LoRA) these alone do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from siatl_keras.compat import layer_parts
from siatl_keras.optimizers.groups import LayerPart

# What the adapters stand in for; a bias beside them goes on learning, as in KerasHub.
REPLACED = ("kernel", "embeddings")


def learning_parts(backbone: Any, *top: keras.layers.Layer) -> list[LayerPart]:
    """Lists what may learn, the bottom layer first.

    Args:
        backbone: a causal language model's. Of one with adapters, these.
        *top: layers on top of it.
    """
    parts = [LayerPart(layer) for layer in backbone.layers]
    if adapters(backbone.layers):
        parts = [LayerPart(layer, adapters([layer])) for layer in backbone.layers]
    parts += [LayerPart(layer) for layer in top]
    return [part for part in parts if part.variables]


def adapters(layers: Sequence[keras.layers.Layer]) -> list[keras.Variable]:
    """Lists the weights that learn inside layers where `enable_lora` was called.

    Args:
        layers: layers.

    Returns:
        the adapters, and the biases beside them; nothing without adapters.
    """
    return [
        variable
        for layer in layers
        for inner in layer_parts.flatten_layers(layer)
        if getattr(inner, "lora_enabled", False)
        for variable in layer_parts.learnable_variables([inner])
        if variable.name not in REPLACED
    ]
