"""LSTM over a whole sequence with a hand-written gradient, for CPUs.

Measured reason: `keras.layers.LSTM` reaches half of a CPU's matrix-product rate. Here
the inputs meet their weights in one product before the loop, the loop holds only the
recurrent product, the backward loop computes the gate gradients alone, and each
weight gradient is one product after it (`benchmarks/lstm.py`).
"""

from __future__ import annotations

import tensorflow as tf


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
        LookupError: when a gradient of the gradient is asked for (from TensorFlow).
    """
    dtype = inputs.dtype

    @tf.custom_gradient
    def run(inputs, initial_hidden, initial_cell, kernel, recurrent_kernel, bias):
        forward = _forward(
            inputs, initial_hidden, initial_cell, kernel, recurrent_kernel, bias, mask
        )
        outputs, hidden, cell = forward.outputs, forward.hidden, forward.cell

        def gradient(d_outputs, d_hidden, d_cell):
            return _backward(
                forward,
                inputs,
                initial_hidden,
                initial_cell,
                kernel,
                recurrent_kernel,
                mask,
                d_outputs,
                d_hidden,
                d_cell,
            )

        results = (tf.transpose(outputs, [1, 0, 2]), hidden, cell)
        depends_on = (inputs, kernel, recurrent_kernel, bias)
        return results, _first_order_only(gradient, depends_on)

    return run(
        inputs,
        tf.cast(initial_hidden, dtype),
        tf.cast(initial_cell, tf.float32),
        tf.cast(kernel, dtype),
        tf.cast(recurrent_kernel, dtype),
        tf.cast(bias, tf.float32),
    )


class _Forward:
    """What the forward loop leaves for the backward loop, time first."""

    def __init__(
        self,
        gates: tf.Tensor,
        cells: tf.Tensor,
        outputs: tf.Tensor,
        hidden: tf.Tensor,
        cell: tf.Tensor,
    ) -> None:
        self.gates = gates  # [time, batch, 4 * units], float32
        self.cells = cells  # [time, batch, units], float32
        self.outputs = outputs  # [time, batch, units]
        self.hidden = hidden  # [batch, units]
        self.cell = cell  # [batch, units], float32


def _forward(
    inputs, initial_hidden, initial_cell, kernel, recurrent_kernel, bias, mask
) -> _Forward:
    dtype = inputs.dtype
    units = recurrent_kernel.shape[0]
    shape = tf.shape(inputs)
    batch, time = shape[0], shape[1]
    projected = _project(inputs, kernel, bias, batch, time)  # [time, batch, 4 * units]
    keep = None if mask is None else tf.transpose(mask)[:, :, tf.newaxis]

    def array(element_dtype, width):
        return tf.TensorArray(element_dtype, size=time, element_shape=(None, width))

    def step(t, hidden, cell, gates, cells, outputs):
        z = projected[t] + tf.cast(hidden @ recurrent_kernel, tf.float32)
        z_input_forget, z_cell, z_output = tf.split(z, [2 * units, units, units], -1)
        input_forget = tf.sigmoid(z_input_forget)
        candidate = tf.tanh(z_cell)
        output_gate = tf.sigmoid(z_output)
        input_gate, forget_gate = tf.split(input_forget, 2, -1)
        new_cell = forget_gate * cell + input_gate * candidate
        new_hidden = tf.cast(output_gate * tf.tanh(new_cell), dtype)
        if keep is not None:
            new_hidden = tf.where(keep[t], new_hidden, hidden)
            new_cell = tf.where(keep[t], new_cell, cell)
        return (
            t + 1,
            new_hidden,
            new_cell,
            gates.write(t, tf.concat([input_forget, candidate, output_gate], -1)),
            cells.write(t, new_cell),
            outputs.write(t, new_hidden),
        )

    _, hidden, cell, gates, cells, outputs = tf.while_loop(
        lambda t, *_: t < time,
        step,
        (
            tf.constant(0),
            initial_hidden,
            initial_cell,
            array(tf.float32, 4 * units),
            array(tf.float32, units),
            array(dtype, units),
        ),
        parallel_iterations=1,
    )
    return _Forward(gates.stack(), cells.stack(), outputs.stack(), hidden, cell)


def _project(inputs, kernel, bias, batch, time):
    """Multiplies all inputs by the kernel at once: `[time, batch, 4 * units]`."""
    flat = tf.reshape(tf.transpose(inputs, [1, 0, 2]), [-1, kernel.shape[0]])
    projected = tf.cast(flat @ kernel, tf.float32) + bias
    return tf.reshape(projected, [time, batch, kernel.shape[1]])


def _backward(
    forward,
    inputs,
    initial_hidden,
    initial_cell,
    kernel,
    recurrent_kernel,
    mask,
    d_outputs,
    d_hidden,
    d_cell,
):
    dtype = inputs.dtype
    features, units = kernel.shape[0], recurrent_kernel.shape[0]
    shape = tf.shape(inputs)
    batch, time = shape[0], shape[1]
    d_outputs = tf.cast(tf.transpose(d_outputs, [1, 0, 2]), tf.float32)
    keep = None if mask is None else tf.transpose(mask)[:, :, tf.newaxis]

    input_gate, forget_gate, candidate, output_gate = tf.split(forward.gates, 4, -1)
    before = tf.concat([initial_cell[tf.newaxis], forward.cells[:-1]], 0)
    tanh_cell = tf.tanh(forward.cells)
    # dz = [dc, dc, dc, dh] * slopes: everything that does not depend on the loop.
    slopes = tf.concat(
        [
            candidate * input_gate * (1.0 - input_gate),
            before * forget_gate * (1.0 - forget_gate),
            input_gate * (1.0 - tf.square(candidate)),
            tanh_cell * output_gate * (1.0 - output_gate),
        ],
        -1,
    )
    cell_slopes = output_gate * (1.0 - tf.square(tanh_cell))

    def step(t, d_hidden, d_cell, d_gates):
        d_hidden += d_outputs[t]
        skipped_hidden, skipped_cell = None, None
        if keep is not None:
            skipped_hidden = tf.where(keep[t], 0.0, d_hidden)
            skipped_cell = tf.where(keep[t], 0.0, d_cell)
            d_hidden = tf.where(keep[t], d_hidden, 0.0)
            d_cell = tf.where(keep[t], d_cell, 0.0)
        d_cell += d_hidden * cell_slopes[t]
        d_z = tf.cast(
            tf.concat([d_cell, d_cell, d_cell, d_hidden], -1) * slopes[t], dtype
        )
        d_cell *= forget_gate[t]
        d_hidden = tf.cast(
            tf.matmul(d_z, recurrent_kernel, transpose_b=True), tf.float32
        )
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
            tf.TensorArray(dtype, size=time, element_shape=(None, 4 * units)),
        ),
        parallel_iterations=1,
    )
    d_z = tf.reshape(d_gates.stack(), [-1, 4 * units])  # [time * batch, 4 * units]
    flat_inputs = tf.reshape(tf.transpose(inputs, [1, 0, 2]), [-1, features])
    hidden_before = tf.concat([initial_hidden[tf.newaxis], forward.outputs[:-1]], 0)
    d_inputs = tf.reshape(
        tf.matmul(d_z, kernel, transpose_b=True), [time, batch, features]
    )
    return (
        tf.transpose(d_inputs, [1, 0, 2]),
        tf.cast(d_hidden, dtype),
        d_cell,
        tf.matmul(flat_inputs, d_z, transpose_a=True),
        tf.matmul(tf.reshape(hidden_before, [-1, units]), d_z, transpose_a=True),
        tf.reduce_sum(tf.cast(d_z, tf.float32), 0),
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
