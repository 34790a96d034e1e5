"""`checkpointed`: blocks whose activations are recomputed where gradients need them.

A transformer's block keeps a dozen tensors of the size of its input for its gradients;
recomputed in the backward pass they cost one more forward pass, and memory holds one
block's at a time. Source: Chen et al. 2016, "Training deep nets with sublinear memory
cost".

Keras's own `RematScope` does not do here: in a graph its TensorFlow side refuses the
keyword arguments that blocks are called with (keras-team/keras, issue 21207), and what
dropout draws the second time is not what it drew the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import tensorflow as tf

from siatl_keras import _keras_internals


def blocks_of(backbone: Any) -> list[keras.layers.Layer]:
    """Lists the layers of a backbone that are made of several: a transformer's blocks.

    Args:
        backbone: a backbone.
    """

    def parts(layer: keras.layers.Layer) -> int:
        _, *inner = _keras_internals.flatten_layers(layer)
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


@contextmanager
def checkpointed(layers: Sequence[keras.layers.Layer]) -> Iterator[None]:
    """Recomputes the activations of layers in what is traced in its scope.

    Gradients equal those without it, dropout included.

    Args:
        layers: layers that return a tensor, or nested tensors.
    """
    with ExitStack() as stack:
        for layer in layers:
            stack.enter_context(_recomputing(layer))
        yield


@contextmanager
def _recomputing(layer: keras.layers.Layer) -> Iterator[None]:
    call = layer.call
    # A layer's variables that are no weights: the states of its random numbers.
    weights = {id(weight) for weight in layer.weights}
    seeds = [v for v in layer.variables if id(v) not in weights]

    def recomputing(*args: Any, **kwargs: Any) -> Any:
        before = [tf.identity(seed.value) for seed in seeds]
        values = tf.nest.flatten((args, kwargs))
        # What gradients flow through; masks and flags need none.
        places = [place for place, value in enumerate(values) if _is_float(value)]

        def recomputed(*floats: tf.Tensor) -> Any:
            # The second time too, random numbers begin where they did the first.
            for seed, state in zip(seeds, before, strict=True):
                seed.assign(state)
            given = list(values)
            for place, value in zip(places, floats, strict=True):
                given[place] = value
            args_again, kwargs_again = tf.nest.pack_sequence_as((args, kwargs), given)
            return call(*args_again, **kwargs_again)

        return tf.recompute_grad(recomputed)(*(values[place] for place in places))

    setattr(layer, "call", recomputing)  # noqa: B010, a method to the type checker
    try:
        yield
    finally:
        delattr(layer, "call")


def _is_float(value: Any) -> bool:
    return tf.is_tensor(value) and value.dtype.is_floating
