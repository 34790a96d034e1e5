"""LSTM over a whole sequence with a hand-written gradient, to train on CPUs.

Measured reason: `keras.layers.LSTM` reaches half of a CPU's matrix-product rate. Here
the inputs meet their weights in one product before the loop, the loop holds only the
recurrent product, the backward loop computes the gate gradients alone, and each
weight gradient is one product after it (`benchmarks/lstm.py`).
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from siatl_keras.layers.lstm_inference import project_inputs


def lstm_sequence(
    inputs: tf.Tensor,
    initial_hidden: tf.Tensor,
    initial_cell: tf.Tensor,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor,
    mask: tf.Tensor | None = None,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Runs an LSTM (gate order input, forget, cell, output) over `inputs`.

    Products are made in the dtype of `inputs`; gates and cell state are float32.

    Args:
        inputs: `[batch, time, features]`, float32 or bfloat16 or float16.
        initial_hidden: `[batch, units]`.
        initial_cell: `[batch, units]`.
        kernel: `[features, 4 * units]`.
        recurrent_kernel: `[units, 4 * units]`.
        bias: `[4 * units]`.
        mask: bool `[batch, time]` or `None`. Where it is false the state is carried
            over unchanged and the output repeats the last one.

    Returns:
        `(outputs [batch, time, units], hidden [batch, units], cell [batch, units])`;
        the outputs and the hidden state in the dtype of `inputs`, the cell in float32.

    Raises:
        LookupError: when a gradient of the gradient is asked for.
    """
    dtype = inputs.dtype

    @tf.custom_gradient
    def with_gradient(*arguments):
        given = _Given(*arguments)
        outputs, hidden, cell, gates = _forward(given, mask)

        def gradient(d_outputs, d_hidden, d_cell):
            return _backward(given, mask, gates, outputs, d_outputs, d_hidden, d_cell)

        depends_on = (given.inputs, given.kernel, given.recurrent_kernel, given.bias)
        return (outputs, hidden, cell), _first_order_only(gradient, depends_on)

    outputs, hidden, cell = with_gradient(
        inputs,
        tf.cast(initial_hidden, dtype),
        tf.cast(initial_cell, tf.float32),
        tf.cast(kernel, dtype),
        tf.cast(recurrent_kernel, dtype),
        tf.cast(bias, tf.float32),
    )
    return tf.transpose(outputs, [2, 0, 1]), tf.transpose(hidden), tf.transpose(cell)


class _Given(NamedTuple):
    """What an LSTM is computed from, and has gradients for; see `lstm_sequence`."""

    inputs: tf.Tensor
    initial_hidden: tf.Tensor
    initial_cell: tf.Tensor
    kernel: tf.Tensor
    recurrent_kernel: tf.Tensor
    bias: tf.Tensor


class _Gates(NamedTuple):
    """What the forward loop keeps for the backward loop, an element a time step.

    Units come first, here and in both loops: `recurrent_kernelᵀ @ hidden` with few
    columns runs a fifth faster than `hidden @ recurrent_kernel` with few rows, and the
    backward product needs no transposed kernel. They stay arrays: joining them would
    copy every byte, and each step is read once.
    """

    input_forget: tf.TensorArray  # [2 * units, batch], float32
    candidate: tf.TensorArray  # [units, batch], float32
    output: tf.TensorArray  # [units, batch], float32
    cell_before: tf.TensorArray  # [units, batch], float32
    tanh_cell: tf.TensorArray  # [units, batch], float32


def _forward(given, mask):
    """Runs the loop.

    Returns:
        `(outputs [time, units, batch], hidden [units, batch], cell [units, batch],
        _Gates)`.
    """
    dtype = given.inputs.dtype
    units = given.recurrent_kernel.shape[0]
    time = tf.shape(given.inputs)[1]
    bias = tf.cast(given.bias, dtype)
    projected = project_inputs(given.inputs, given.kernel, bias)
    projected = tf.transpose(projected, [0, 2, 1])
    transposed_kernel = tf.transpose(given.recurrent_kernel)
    keep = _by_step(mask)

    def array(element_dtype, width):
        return tf.TensorArray(element_dtype, size=time, element_shape=(width, None))

    def step(t, hidden, cell, outputs, *gates):
        z = tf.cast(transposed_kernel @ hidden, tf.float32)
        z += tf.cast(projected[t], tf.float32)
        z_input_forget, z_cell, z_output = tf.split(z, [2 * units, units, units])
        input_forget = tf.sigmoid(z_input_forget)
        candidate = tf.tanh(z_cell)
        output = tf.sigmoid(z_output)
        input_gate, forget_gate = tf.split(input_forget, 2)
        new_cell = forget_gate * cell + input_gate * candidate
        tanh_cell = tf.tanh(new_cell)
        new_hidden = tf.cast(output * tanh_cell, dtype)
        values = (input_forget, candidate, output, cell, tanh_cell)
        if keep is not None:
            new_hidden = tf.where(keep[t], new_hidden, hidden)
            new_cell = tf.where(keep[t], new_cell, cell)
        pairs = zip(gates, values, strict=True)
        gates = [array.write(t, value) for array, value in pairs]
        return t + 1, new_hidden, new_cell, outputs.write(t, new_hidden), *gates

    _, hidden, cell, outputs, *gates = tf.while_loop(
        lambda t, *_: t < time,
        step,
        (
            tf.constant(0),
            tf.transpose(given.initial_hidden),
            tf.transpose(given.initial_cell),
            array(dtype, units),
            *(array(tf.float32, width * units) for width in (2, 1, 1, 1, 1)),
        ),
        parallel_iterations=1,
    )
    return outputs.stack(), hidden, cell, _Gates(*gates)


def _by_step(mask):
    """Gives a mask `[batch, time]` the shape `[time, 1, batch]`."""
    return None if mask is None else tf.transpose(mask)[:, tf.newaxis]


def _flat(x):
    """Joins the first two axes."""
    return tf.reshape(x, [-1, x.shape[-1]])


def _backward(given, mask, gates, outputs, d_outputs, d_hidden, d_cell):
    """Runs the loop backward; returns the gradients of what was given."""
    dtype = given.inputs.dtype
    units = given.recurrent_kernel.shape[0]
    time = tf.shape(given.inputs)[1]
    keep = _by_step(mask)

    def step(t, d_hidden, d_cell, d_gates):
        d_hidden += tf.cast(d_outputs[t], tf.float32)
        skipped_hidden, skipped_cell = None, None
        if keep is not None:
            skipped_hidden = tf.where(keep[t], 0.0, d_hidden)
            skipped_cell = tf.where(keep[t], 0.0, d_cell)
            d_hidden = tf.where(keep[t], d_hidden, 0.0)
            d_cell = tf.where(keep[t], d_cell, 0.0)
        d_z, d_cell = _gate_gradients(gates, t, d_hidden, d_cell)
        d_z = tf.cast(d_z, dtype)
        d_hidden = tf.cast(given.recurrent_kernel @ d_z, tf.float32)
        if keep is not None:
            d_hidden += skipped_hidden
            d_cell += skipped_cell
        return t - 1, d_hidden, d_cell, d_gates.write(t, d_z)

    _, d_hidden, d_cell, d_gates = tf.while_loop(
        lambda t, *_: t >= 0,
        step,
        (
            time - 1,
            tf.cast(d_hidden, tf.float32),
            tf.cast(d_cell, tf.float32),
            tf.TensorArray(dtype, size=time, element_shape=(4 * units, None)),
        ),
        parallel_iterations=1,
    )
    # Rows: time * batch, as of the inputs and of the hidden states before.
    d_z = _flat(tf.transpose(d_gates.stack(), [0, 2, 1]))
    d_inputs, *d_weights = _weight_gradients(given, outputs, d_z)
    d_initial = tf.cast(tf.transpose(d_hidden), dtype), tf.transpose(d_cell)
    return d_inputs, *d_initial, *d_weights


def _gate_gradients(gates, t, d_hidden, d_cell):
    """Goes back through one time step's gates.

    Returns:
        `(d_z [4 * units, batch], d_cell [units, batch])`, the latter of the cell before
        the step.
    """
    sigmoid_gradient, tanh_gradient = tf.raw_ops.SigmoidGrad, tf.raw_ops.TanhGrad
    input_gate, forget_gate = tf.split(gates.input_forget.read(t), 2)
    candidate, output = gates.candidate.read(t), gates.output.read(t)
    tanh_cell = gates.tanh_cell.read(t)
    d_cell += tanh_gradient(y=tanh_cell, dy=d_hidden * output)
    d_forget = d_cell * gates.cell_before.read(t)
    d_z = tf.concat(
        [
            sigmoid_gradient(y=input_gate, dy=d_cell * candidate),
            sigmoid_gradient(y=forget_gate, dy=d_forget),
            tanh_gradient(y=candidate, dy=d_cell * input_gate),
            sigmoid_gradient(y=output, dy=d_hidden * tanh_cell),
        ],
        0,
    )
    return d_z, d_cell * forget_gate


def _weight_gradients(given, outputs, d_z):
    """Computes those of inputs, kernel, recurrent kernel and bias, a product each.

    Args:
        given: see `_Given`.
        outputs: `[time, units, batch]`.
        d_z: `[time * batch, 4 * units]`.
    """
    shape = tf.shape(given.inputs)
    batch, time = shape[0], shape[1]
    flat_inputs = _flat(tf.transpose(given.inputs, [1, 0, 2]))
    hidden_before = tf.transpose(outputs[:-1], [0, 2, 1])
    hidden_before = tf.concat([given.initial_hidden[tf.newaxis], hidden_before], 0)
    d_inputs = tf.matmul(d_z, given.kernel, transpose_b=True)
    d_inputs = tf.reshape(d_inputs, [time, batch, given.kernel.shape[0]])
    # A sum over rows, ten times as fast as TensorFlow's.
    d_bias = tf.matmul(tf.ones([1, time * batch], d_z.dtype), d_z)[0]
    return (
        tf.transpose(d_inputs, [1, 0, 2]),
        tf.matmul(flat_inputs, d_z, transpose_a=True),
        tf.matmul(_flat(hidden_before), d_z, transpose_a=True),
        tf.cast(d_bias, tf.float32),
    )


def _first_order_only(gradient, depends_on):
    """Wraps a gradient function so that differentiating it again says why it fails.

    What the gradient depends on besides its arguments is passed along: a tape that
    watches it would otherwise find no path, and give `None`.
    """

    @tf.custom_gradient
    def guarded(*arguments):
        def second_order(*_):
            raise LookupError(
                "siatl_keras.layers.LSTM has no second-order gradient. Use "
                "`keras.layers.LSTM` (same weights) where a gradient of the gradient "
                "is needed."
            )

        return gradient(*arguments[: -len(depends_on)]), second_order

    return lambda *upstream: guarded(*upstream, *depends_on)
