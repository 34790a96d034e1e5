"""`call_checkpointed`: blocks recompute their activations where gradients need them.

A transformer's block keeps a dozen tensors of the size of its input for its gradients;
recomputed in the backward pass they cost one more forward pass, and memory holds one
block's at a time. Source: Chen et al. 2016, "Training deep nets with sublinear memory
cost".

Keras's own `RematScope` does not do here: in a graph its TensorFlow side refuses the
keyword arguments that blocks are called with (keras-team/keras, issue 21207), and what
dropout draws the second time is not what it drew the first.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from siatl_keras.compat import layer_parts


def blocks_of(backbone: Any) -> list[keras.layers.Layer]:
    """Lists the layers of a backbone that are made of several: a transformer's blocks.

    Args:
        backbone: a backbone.
    """

    def parts(layer: keras.layers.Layer) -> int:
        _, *inner = layer_parts.flatten_layers(layer)
        return sum(bool(part.weights) for part in inner)

    return [layer for layer in backbone.layers if parts(layer) > 1]


def check_blocks(backbone: Any) -> None:
    """Checks that there are blocks to recompute.

    Args:
        backbone: a backbone.

    Raises:
        ValueError: if it has no blocks.
    """
    if not blocks_of(backbone):
        raise ValueError(
            "`gradient_checkpointing` needs a transformer, whose blocks are made of "
            f"layers. Received: {type(backbone).__name__}, which has none."
        )


def call_checkpointed(backbone: Any, inputs: Any, training: bool) -> Any:
    """Calls a backbone whose blocks recompute their activations for the gradients.

    Gradients equal those without it, dropout included.

    Args:
        backbone: a backbone with blocks.
        inputs: its inputs.
        training: bool, whether dropout is on.

    Returns:
        its outputs.
    """
    blocks = {id(block) for block in blocks_of(backbone)}

    def wrap(operation: Any) -> Any:
        return _Recomputed(operation) if id(operation) in blocks else operation

    return layer_parts.call_layers(backbone, inputs, training, wrap)


class _Recomputed:
    """A layer that is called again, on the same values, in the backward pass.

    Args:
        layer: returns a tensor, or nested tensors.
    """

    def __init__(self, layer: keras.layers.Layer) -> None:
        self.layer = layer
        # A layer's variables that are no weights: the states of its random numbers.
        weights = {id(weight) for weight in layer.weights}
        self.seeds = [v for v in layer.variables if id(v) not in weights]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        before = [tf.identity(seed.value) for seed in self.seeds]
        values = tf.nest.flatten((args, kwargs))
        # What gradients flow through; masks and flags need none.
        places = [place for place, value in enumerate(values) if _is_float(value)]

        def recomputed(*floats: tf.Tensor) -> Any:
            # The second time too, random numbers begin where they did the first.
            for seed, state in zip(self.seeds, before, strict=True):
                seed.assign(state)
            given = list(values)
            for place, value in zip(places, floats, strict=True):
                given[place] = value
            args_again, kwargs_again = tf.nest.pack_sequence_as((args, kwargs), given)
            return self.layer(*args_again, **kwargs_again)

        return tf.recompute_grad(recomputed)(*(values[place] for place in places))


def _is_float(value: Any) -> bool:
    return tf.is_tensor(value) and value.dtype.is_floating
