"""Everything of Keras's that is private and that we must touch.

Each function says why it exists and the version it was checked against; each has a
test in `tests/test_keras_internals.py` that fails first when Keras moves.
"""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf
from keras.src import backend
from keras.src.backend.common import global_state
from keras.src.saving import serialization_lib


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


class FusedGlobalNorm:
    """Mixin for a `keras.optimizers.Optimizer`: `global_clipnorm` in fewer passes.

    Keras writes out the square of every gradient, and makes sparse gradients dense.
    There is no public hook before the clipping. Checked against Keras 3.15.1.
    """

    def _clip_gradients(self, grads: list[Any]) -> list[Any]:
        """Clips; anything but `global_clipnorm` is left to Keras."""
        clipnorm = self.global_clipnorm  # type: ignore[attr-defined]
        if not clipnorm or self.clipnorm:  # type: ignore[attr-defined]
            return super()._clip_gradients(grads)  # type: ignore[misc]
        grads = [sum_duplicates(gradient) for gradient in grads]
        squares = [
            tf.cast(tf.nn.l2_loss(_values(gradient)), tf.float32) for gradient in grads
        ]
        norm = tf.sqrt(2.0 * tf.add_n(squares))
        # As in Keras: not finite if the norm is not.
        scale = clipnorm * tf.minimum(1.0 / norm, 1.0 / clipnorm) + (norm - norm)
        return [_scaled(gradient, scale) for gradient in grads]


def sum_duplicates(gradient: Any) -> Any:
    """Sums a sparse gradient's slices of the same row.

    A text that repeats a word repeats its row, and the norm of the repeated slices is
    not the gradient's.

    Args:
        gradient: tensor or `tf.IndexedSlices`.

    Returns:
        the same gradient, each row named once.
    """
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, positions = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, positions, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def adam_moments(optimizer: keras.optimizers.Adam, variable: Any) -> tuple[Any, Any]:
    """Returns Adam's two moments of a variable.

    Checked against Keras 3.15.1.

    Args:
        optimizer: a built optimizer.
        variable: what `update_step` got.
    """
    index = optimizer._get_variable_index(variable)
    return optimizer._momentums[index], optimizer._velocities[index]


def sgd_moment(optimizer: keras.optimizers.SGD, variable: Any) -> Any:
    """Returns SGD's momentum of a variable.

    Checked against Keras 3.15.1.

    Args:
        optimizer: a built optimizer with `momentum`.
        variable: what `update_step` got.
    """
    return optimizer.momentums[optimizer._get_variable_index(variable)]


def resource(variable: Any) -> tf.Tensor:
    """Returns the handle of a Keras or TensorFlow variable, for raw operations.

    Under a strategy this is the copy on the device that is being updated.
    Checked against Keras 3.15.1.

    Args:
        variable: the variable.
    """
    if isinstance(variable, keras.Variable):
        variable = variable.value
    return variable.handle


def _values(gradient: Any) -> tf.Tensor:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def _scaled(gradient: Any, scale: tf.Tensor) -> Any:
    values = _values(gradient) * tf.cast(scale, gradient.dtype)
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
    return values


def running_callback_list() -> keras.callbacks.CallbackList | None:
    """Finds the `CallbackList` that is calling, from inside a callback's method.

    A backup must reach the other callbacks of the run, and Keras gives a callback the
    model only. Checked against Keras 3.15.1.

    Returns:
        the list, or `None` outside of one.
    """
    frame = inspect.currentframe()
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, keras.callbacks.CallbackList):
            return owner
        frame = frame.f_back
    return None


def set_initial_epoch(model: keras.Model, epoch: int) -> None:
    """Sets the epoch, from 0, with which the running `fit` begins; 0 for its argument.

    `keras.callbacks.BackupAndRestore` does it so; there is no public way.
    Checked against Keras 3.15.1.

    Args:
        model: the model in training, before its first epoch.
        epoch: number of epochs already done.
    """
    model._initial_epoch = epoch


def global_seed_state() -> keras.Variable | None:
    """Returns the state behind `keras.random` functions called without a seed.

    Checked against Keras 3.15.1.

    Returns:
        the variable, or `None` where nothing has been drawn from it.
    """
    generator = global_state.get_global_attribute("global_seed_generator")
    return None if generator is None else generator.state


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


def optimized_variables(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Lists the variables that an optimizer was built on.

    Checked against Keras 3.15.1.

    Args:
        optimizer: a built optimizer, loss scaling around it or not.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return list(inner._trainable_variables)


def is_saving_to_hdf5() -> bool:
    """Tells whether Keras is writing the old HDF5 format.

    Its files cannot hold a task model, and fail in ways that hide it.
    Checked against Keras 3.15.1.
    """
    return bool(global_state.get_global_attribute("use_legacy_config"))


class KnowsItsCloner:
    """Mixin for a functional `keras.Model` that `clone_model` cannot copy.

    `keras.models.clone_model` asks the model for nothing but its graph, and would
    return a plain `Functional`. A class that uses this implements `refuse_cloning`.
    Checked against Keras 3.15.1.
    """

    def _run_through_graph(
        self, inputs: Any, operation_fn: Any = lambda op: op, call_fn: Any = None
    ) -> Any:
        """Runs the graph, unless on layers that `clone_model` makes."""
        if operation_fn.__module__ == "keras.src.models.cloning":
            self.refuse_cloning()  # type: ignore[attr-defined]
        return super()._run_through_graph(  # type: ignore[misc]
            inputs, operation_fn=operation_fn, call_fn=call_fn
        )


def in_safe_mode() -> bool:
    """Whether what is being made comes from a saved file that nobody vouched for.

    Keras asks this before it runs a saved lambda, KerasHub before it reads a file that
    a saved tokenizer names; there is no public way. Checked against Keras 3.15.1.
    """
    return bool(serialization_lib.in_safe_mode())


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
