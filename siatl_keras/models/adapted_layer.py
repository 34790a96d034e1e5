"""`AdaptedLayer`: a layer with low-rank adapters (LoRA), of which only these learn.

Freezing and thawing a Keras layer sets the flag of all its weights, and would wake the
weights that `enable_lora` froze.
"""

from __future__ import annotations

from typing import Any

import keras

from siatl_keras.compat import layer_parts

# What the adapters stand in for; a bias beside them goes on learning, as in KerasHub.
REPLACED = ("kernel", "embeddings")


class AdaptedLayer:
    """Freezes and thaws the adapters inside a layer, and nothing else.

    Args:
        layer: a layer with `lora_enabled` layers inside it.

    Attributes:
        name: the layer's name.
        weights: the weights that may learn.
    """

    def __init__(self, layer: keras.layers.Layer) -> None:
        self.layer = layer
        self.name = layer.name
        self.weights = adapters([layer])

    @property
    def trainable(self) -> bool:
        """Whether the adapters learn."""
        return any(weight.trainable for weight in self.weights)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.layer.trainable = value
        for weight in layer_parts.learnable_variables([self.layer]):
            weight.trainable = False
        for weight in self.weights:
            weight.trainable = value

    @property
    def trainable_weights(self) -> list[keras.Variable]:
        """The weights that learn at present."""
        return [weight for weight in self.weights if weight.trainable]


def adapters(layers: Any) -> list[keras.Variable]:
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
