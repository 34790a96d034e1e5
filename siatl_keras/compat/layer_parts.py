"""What of Keras's layers is private and we must touch.

Each part says why it exists and the version it was checked against; each has a test in
`tests/compat/test_layer_parts.py` that fails first when Keras moves.
"""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf
from keras.src import backend


def backend_lstm(
    layer: keras.layers.LSTM,
    sequences: Any,
    initial_state: Any,
    mask: Any,
    recurrent_kernel: Any,
) -> Any:
    """Runs Keras's cuDNN LSTM with a recurrent kernel that is not the layer's own.

    `keras.layers.LSTM` passes its own weight, weight drop needs another.
    Checked against Keras 3.15.1.

    Args:
        layer: the layer whose kernel, bias and options are used.
        sequences: `[batch, time, features]`.
        initial_state: list of two tensors `[batch, units]`.
        mask: bool `[batch, time]` or `None`.
        recurrent_kernel: `[units, 4 * units]`.

    Returns:
        `(last output, outputs, states)` as `RNN.inner_loop` returns them.
    """
    rows = tf.shape(sequences)[0]
    several = tf.distribute.get_strategy().num_replicas_in_sync > 1
    if several:
        # A replica may get no text of a batch, and cuDNN takes no empty one.
        sequences = at_least_one_row(sequences)
        initial_state = [at_least_one_row(state) for state in initial_state]
        mask = None if mask is None else at_least_one_row(mask)
    outputs = backend.lstm(
        sequences,
        initial_state[0],
        initial_state[1],
        mask,
        kernel=layer.cell.kernel,
        recurrent_kernel=recurrent_kernel,
        bias=layer.cell.bias,
        activation=layer.activation,
        recurrent_activation=layer.recurrent_activation,
        return_sequences=layer.return_sequences,
        go_backwards=layer.go_backwards,
    )
    if several:
        outputs = tf.nest.map_structure(lambda output: output[:rows], outputs)
    return outputs


def at_least_one_row(x: tf.Tensor) -> tf.Tensor:
    """Adds a row of ones to a tensor that has none.

    Args:
        x: `[batch, …]`.

    Returns:
        `[max(batch, 1), …]`.
    """
    shape = tf.shape(x)
    missing = tf.cast(tf.equal(shape[:1], 0), tf.int32)
    row = tf.ones(tf.concat([missing, shape[1:]], 0), tf.uint8)
    return tf.concat([x, tf.cast(row, x.dtype)], 0)


def flatten_layers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Lists a layer and all layers inside it.

    `model.layers` ends at the first level.
    Checked against Keras 3.15.1.

    Args:
        layer: a layer or model.
    """
    return list(layer._flatten_layers())


def learnable_variables(layers: list[keras.layers.Layer]) -> list[keras.Variable]:
    """Lists the weights that training may change, whether frozen at present or not.

    `trainable_variables` is empty for a frozen layer, and `variables` also holds random
    states. Checked against Keras 3.15.1.

    Args:
        layers: layers.
    """
    return [
        variable
        for layer in layers
        for inner in flatten_layers(layer)
        for variable in inner._trainable_variables
    ]


def symbolic_call(function: Any, *arrays: Any) -> Any:
    """Calls a function on tensors without values, which also builds a metric.

    `keras.ops` has no public way to do so. Checked against Keras 3.15.1.

    Args:
        function: a loss, or a metric's `update_state`.
        *arrays: arrays of the shapes and dtypes of the arguments.

    Returns:
        what the function returns, `keras.KerasTensor` in place of tensors.
    """
    tensors = [keras.KerasTensor(array.shape, str(array.dtype)) for array in arrays]
    return backend.compute_output_spec(function, *tensors)


@contextlib.contextmanager
def limited_variables(numbers: int, message: str) -> Iterator[None]:
    """Refuses to make variables of more numbers than a model can have.

    A saved config can ask for any size, and there is no public way to learn a layer's
    shapes before they are allocated: TensorFlow tells when a variable is made, and
    Keras gives it a function then, whose closure holds the Keras variable.
    Checked against Keras 3.15.1.

    Args:
        numbers: int, in all variables made inside the context.
        message: of the `ValueError` that the first variable too many raises.
    """
    left = numbers

    def count(next_creator: Any, **kwargs: Any) -> Any:
        nonlocal left
        value = kwargs.get("initial_value")
        if inspect.isfunction(value):
            owner = inspect.getclosurevars(value).nonlocals.get("self")
            if isinstance(owner, keras.Variable):
                left -= math.prod(owner._shape)
        if left < 0:
            raise ValueError(message)
        return next_creator(**kwargs)

    with tf.variable_creator_scope(count):
        yield


def call_layers(
    model: keras.Model, inputs: Any, training: bool, wrap: Callable[[Any], Any]
) -> Any:
    """Calls a functional model, each layer through what stands in for it.

    There is no public way to go through a model's graph of layers.
    Checked against Keras 3.15.1.

    Args:
        model: a functional model.
        inputs: its inputs.
        training: whether dropout is on.
        wrap: takes a layer, or another operation of the graph, and returns what is
            called in its place, such as the layer itself.

    Returns:
        the model's outputs.
    """
    return model._run_through_graph(
        model._standardize_inputs(inputs),
        operation_fn=lambda op: _with_training(op, wrap(op), training),
    )


def _with_training(operation: Any, called: Any, training: bool) -> Callable[..., Any]:
    if "training" not in getattr(operation, "_call_context_args", {}):
        return called

    def call(*args: Any, **kwargs: Any) -> Any:
        # In place of the `training` with which the graph was made.
        return called(*args, **{**kwargs, "training": training})

    return call
