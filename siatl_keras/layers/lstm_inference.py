"""LSTM over a whole sequence for inference: nothing is kept for a gradient.

Rows are texts, unlike in `lstm_kernel.py`: with the few that a server reads at once
`hidden @ recurrent_kernel` takes half the time of the product with texts as columns,
for which TensorFlow copies the kernel at each step; from 16 on it takes the same.
"""

from __future__ import annotations

import tensorflow as tf


def lstm_inference(
    inputs: tf.Tensor,
    initial_hidden: tf.Tensor,
    initial_cell: tf.Tensor,
    kernel: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor,
    mask: tf.Tensor | None = None,
    steps_per_turn: int = 1,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Runs an LSTM (gate order input, forget, cell, output) over `inputs`.

    TensorFlow's own gradient works, and a SavedModel can hold the graph. Products are
    made in the dtype of `inputs`; gates and cell state are float32.

    Args:
        inputs: `[batch, time, features]`, float32 or bfloat16 or float16.
        initial_hidden: `[batch, units]`.
        initial_cell: `[batch, units]`.
        kernel: `[features, 4 * units]`.
        recurrent_kernel: `[units, 4 * units]`.
        bias: `[4 * units]`.
        mask: bool `[batch, time]` or `None`. Where it is false the state is carried
            over unchanged and the output repeats the last one.
        steps_per_turn: of the loop. LiteRT copies all outputs at each turn, for which
            long texts cost the square of their length.

    Returns:
        `(outputs [batch, time, units], hidden [batch, units], cell [batch, units])`;
        the outputs and the hidden state in the dtype of `inputs`, the cell in float32.
    """
    dtype = inputs.dtype
    recurrent_kernel = tf.cast(recurrent_kernel, dtype)
    projected = project_inputs(inputs, tf.cast(kernel, dtype), tf.cast(bias, dtype))
    keep = None if mask is None else tf.transpose(mask)[:, :, tf.newaxis]
    states = tf.cast(initial_hidden, dtype), tf.cast(initial_cell, tf.float32)
    time = tf.shape(projected)[0]
    # Two loops: of whole turns, and of the steps that are left, one a turn.
    whole = time - time % steps_per_turn
    outputs, states = _loop(
        projected, keep, recurrent_kernel, states, 0, whole, steps_per_turn
    )
    if steps_per_turn > 1:
        others, states = _loop(
            projected, keep, recurrent_kernel, states, whole, time, 1
        )
        outputs = tf.concat([outputs, others], 0)
    return tf.transpose(outputs, [1, 0, 2]), *states


def project_inputs(inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Multiplies the inputs of all steps by the kernel at once.

    Args:
        inputs: `[batch, time, features]`.
        kernel: `[features, 4 * units]`.
        bias: `[4 * units]`, in the dtype of the others.

    Returns:
        `[time, batch, 4 * units]`.
    """
    by_time = tf.transpose(inputs, [1, 0, 2])
    flat = tf.reshape(by_time, [-1, inputs.shape[-1]])
    projected = tf.nn.bias_add(flat @ kernel, bias)
    shape = tf.shape(by_time)
    projected = tf.reshape(projected, [shape[0], shape[1], kernel.shape[1]])
    # LiteRT takes arrays only of elements whose shape is known.
    projected.set_shape([None, inputs.shape[0], kernel.shape[1]])
    return projected


def _loop(projected, keep, recurrent_kernel, states, start, end, steps_per_turn):
    """Runs the steps from `start` to `end`, which whole turns must fill.

    Returns:
        `(outputs [end - start, batch, units], (hidden, cell))`.
    """
    batch, units = projected.shape[1], recurrent_kernel.shape[0]
    size = (end - start) // steps_per_turn
    of_turn = () if steps_per_turn == 1 else (steps_per_turn,)
    outputs = tf.TensorArray(
        recurrent_kernel.dtype, size=size, element_shape=(*of_turn, batch, units)
    )

    def turn(number, hidden, cell, outputs):
        steps = []
        for step in range(steps_per_turn):
            t = start + number * steps_per_turn + step
            z = hidden @ recurrent_kernel
            z = tf.cast(z, tf.float32) + tf.cast(projected[t], tf.float32)
            kept = None if keep is None else keep[t]
            hidden, cell = _step(z, hidden, cell, kept)
            steps.append(hidden)
        written = tf.stack(steps) if of_turn else hidden
        return number + 1, hidden, cell, outputs.write(number, written)

    _, hidden, cell, outputs = tf.while_loop(
        lambda number, *_: number < size,
        turn,
        (tf.constant(0), *states, outputs),
        parallel_iterations=1,
    )
    shape = [end - start, tf.shape(projected)[1], units]
    return tf.reshape(outputs.stack(), shape), (hidden, cell)


def _step(z, hidden, cell, keep):
    """Gates one step: returns the hidden state and the cell after it."""
    units = hidden.shape[1]
    z_input_forget, z_cell, z_output = tf.split(z, [2 * units, units, units], 1)
    input_gate, forget_gate = tf.split(tf.sigmoid(z_input_forget), 2, 1)
    new_cell = forget_gate * cell + input_gate * tf.tanh(z_cell)
    new_hidden = tf.cast(tf.sigmoid(z_output) * tf.tanh(new_cell), hidden.dtype)
    if keep is None:
        return new_hidden, new_cell
    return tf.where(keep, new_hidden, hidden), tf.where(keep, new_cell, cell)
