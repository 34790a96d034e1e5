"""`FrozenStates`: what the frozen lower layers make of each text, computed once.

What lies below the lowest layer that learns, and draws no random numbers, gives the
same states for the same text in every epoch.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.callbacks.progress_line import ProgressLine
from siatl_keras.compat import layer_parts
from siatl_keras.models.causal_backbone import INPUTS
from siatl_keras.optimizers.groups import PAPER_GROUPS

# What is kept in memory; more goes to a file that is mapped into it.
BYTES_IN_MEMORY = 1 << 30
_, _BACKBONE, _ = PAPER_GROUPS
_RATES = ("rate", "stddev", "dropout", "recurrent_dropout")


class FrozenStates:
    """Keeps states of texts at the highest layer that cannot change them.

    Which layer that is follows from what learns: `update` finds out. A layer whose
    weights have changed since the first `update` counts as one that learns, for
    averages of weights come and go.

    Args:
        backbone: a causal language model's, called on `[batch, time]`.
        datasets: of packed batches whose inputs have `row`, int `[batch]`, the number
            of each text; together they have every number from 0 once.
        optimized: weights that may learn at some time.
        verbose: as for `keras.Model.fit`.

    Attributes:
        layer: the layer whose outputs are kept; `None` where there is nothing to keep.
    """

    def __init__(
        self,
        backbone: Any,
        datasets: Sequence[tf.data.Dataset],
        optimized: Iterable[keras.Variable],
        verbose: Any = 0,
    ) -> None:
        self.backbone = backbone
        self.datasets = datasets
        self.verbose = verbose
        self.layer: Any = None
        self._optimized = {id(variable) for variable in optimized}
        self._sums: dict[int, int] = {}
        self._stores: dict[keras.layers.Layer, _Store] = {}

    def update(self) -> bool:
        """Finds the layer; returns whether it is another one, whose states are new."""
        layer = self._highest(self._learns)
        if layer is self.layer:
            return False
        self.layer = layer
        if layer is None:
            self._stores.clear()
            return True
        # What never learns is kept beside, for what goes on from it later.
        lasting = self._highest(self._may_learn)
        known = {key: self._stores[key] for key in self._stores if key is lasting}
        self._stores = known
        self._compute([each for each in (lasting, layer) if each is not None])
        return True

    def go_on(
        self, x: dict[str, Any], training: bool, call: Callable[..., tf.Tensor]
    ) -> tf.Tensor:
        """Computes a batch's last states from those that are known.

        Args:
            x: inputs with `row`.
            training: bool, whether dropout is on.
            call: what calls the rest of the backbone: a function of a model, its inputs
                and `training`.
        """
        inputs = self._inputs(x, self.layer)
        if self.layer.output is self.backbone.output:
            return inputs[self.layer.output.name]
        return call(self._part(self.backbone.output, self.layer), inputs, training)

    def _inputs(self, x: dict[str, Any], below: Any) -> dict[str, Any]:
        inputs = {name: x[name] for name in INPUTS}
        if below is not None:
            time = tf.shape(x["token_ids"])[1]
            inputs[below.output.name] = self._stores[below].read(x["row"], time)
        return inputs

    def _part(self, outputs: Any, below: Any) -> keras.Model:
        inputs = self.backbone.input
        if below is not None:
            inputs = {**inputs, below.output.name: below.output}
        return keras.Model(inputs, outputs)

    def _highest(self, learns: Callable[[keras.layers.Layer], bool]) -> Any:
        """Finds the layer; those that only look up embeddings are not worth it."""
        found, is_deep = None, False
        for operation in self.backbone.operations:
            if not isinstance(operation, keras.layers.Layer):
                continue
            if learns(operation) or self._varies(operation):
                break
            is_deep |= any(_BACKBONE.holds(weight) for weight in operation.weights)
            # One tensor for each token.
            output = operation.output
            if is_deep and isinstance(output, keras.KerasTensor):
                found = operation if len(output.shape) == 3 else found
        return found

    def _learns(self, layer: keras.layers.Layer) -> bool:
        return bool(layer.trainable_variables)

    def _may_learn(self, layer: keras.layers.Layer) -> bool:
        return any(id(weight) in self._optimized for weight in layer.weights)

    def _varies(self, layer: keras.layers.Layer) -> bool:
        """Says whether a layer draws random numbers, or has changed."""
        if any(map(_is_random, layer_parts.flatten_layers(layer))):
            return True
        sums = [(id(weight), _sum(weight)) for weight in layer.weights]
        return any(self._sums.setdefault(key, value) != value for key, value in sums)

    def _compute(self, layers: list[keras.layers.Layer]) -> None:
        """Computes the states of layers, the lowest first, those that are known not."""
        known = [layer for layer in layers if layer in self._stores]
        new = [layer for layer in dict.fromkeys(layers) if layer not in known]
        below = known[-1] if known else None
        if not new:
            return
        part = self._part([layer.output for layer in new], below)

        # Else each of the first lengths of batches would be traced by itself.
        @tf.function(input_signature=[self.datasets[0].element_spec[0]])
        def compute(x: dict[str, tf.Tensor]) -> list[tf.Tensor]:
            return tf.nest.flatten(part(self._inputs(x, below), training=False))

        batches = [x for dataset in self.datasets for x, *_ in dataset]
        rows = sum(len(x["row"]) for x in batches)
        tokens = sum(int(np.sum(x["padding_mask"])) for x in batches)
        made = {layer: _Store(rows, tokens, layer) for layer in new}
        if self.verbose:
            names = " and ".join(layer.name for layer in made)
            print(f"Computing what the layers up to {names} make of {rows} texts")
        line = ProgressLine("states", len(batches), self.verbose not in (0, 2))
        for step, x in enumerate(batches, start=1):
            numbers, mask = x["row"].numpy(), x["padding_mask"].numpy()
            for store, states in zip(made.values(), compute(x), strict=True):
                store.add(numbers, mask, states.numpy())
            line.update(step)
        line.clear()
        self._stores |= made


class _Store:
    """States of texts, one text after the other, in memory or in a file.

    Args:
        rows: int, number of texts.
        tokens: int, of all of them.
        layer: that makes them.
    """

    def __init__(self, rows: int, tokens: int, layer: keras.layers.Layer) -> None:
        width = layer.output.shape[-1]
        self.dtype = tf.as_dtype(layer.compute_dtype)
        numbers = self.dtype.as_numpy_dtype
        shape = (tokens, width)
        size = tokens * width * self.dtype.size
        self._states: np.ndarray
        if size <= BYTES_IN_MEMORY:
            self._states = np.zeros(shape, numbers)
        else:
            with tempfile.TemporaryFile(prefix="siatl_keras-states-") as file:
                os.truncate(file.fileno(), size)
                # The map goes on when the file is closed, which has no name.
                self._states = np.memmap(file, numbers, shape=shape)
        self._starts = np.zeros(rows, "int64")
        self._lengths = np.zeros(rows, "int64")
        self._end = 0

    def add(self, rows: np.ndarray, mask: np.ndarray, states: np.ndarray) -> None:
        """Adds texts: their numbers, `[batch, time]` and `[batch, time, width]`."""
        for row, is_real, found in zip(rows, mask.astype(bool), states, strict=True):
            kept = found[is_real]
            self._starts[row], self._lengths[row] = self._end, len(kept)
            self._states[self._end : self._end + len(kept)] = kept
            self._end += len(kept)

    def read(self, rows: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
        """Returns states `[batch, time, width]`, zeros at padding."""
        width = self._states.shape[1]

        def read(rows: np.ndarray, time: np.ndarray) -> np.ndarray:
            found = np.zeros((len(rows), time, width), self._states.dtype)
            starts, lengths = self._starts[rows], self._lengths[rows]
            for text, start, length in zip(found, starts, lengths, strict=True):
                text[:length] = self._states[start : start + length]
            return found

        states = tf.numpy_function(read, [rows, time], self.dtype, stateful=False)
        return tf.ensure_shape(states, [None, None, width])


def _is_random(layer: keras.layers.Layer) -> bool:
    """Says whether a layer draws random numbers in training.

    LSTMs have a state for them even where nothing is dropped.
    """
    _, *inner = layer_parts.flatten_layers(layer)
    theirs = {id(variable) for part in inner for variable in part.variables}
    theirs |= {id(weight) for weight in layer.weights}
    if all(id(variable) in theirs for variable in layer.variables):
        return False
    # What has other names for its rates counts as random.
    rates = [getattr(layer, name) for name in _RATES if hasattr(layer, name)]
    return not rates or any(rates)


def _sum(weight: keras.Variable) -> int:
    """Adds a weight's bits up, whose sum knows no rounding: to see it change."""
    numbers = np.ascontiguousarray(keras.ops.convert_to_numpy(weight))
    return int(numbers.view(f"u{numbers.itemsize}").sum(dtype="uint64"))
