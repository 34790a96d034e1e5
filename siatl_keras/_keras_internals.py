"""Everything of Keras's that is private and that we must touch.

Each function says why it exists and the version it was checked against; each has a
test in `tests/test_keras_internals.py` that fails first when Keras moves.
"""

from __future__ import annotations

from typing import Any

import keras
from keras.src import backend
from keras.src.losses.loss import unscale_loss_for_distribution


def track_loss(model: keras.Model, loss: Any, batch_size: Any) -> None:
    """Adds a step's total loss to the model's `loss` metric.

    A custom `train_step` has no public way to the tracker behind the `loss` log.
    Checked against Keras 3.15.1.

    Args:
        model: a compiled model.
        loss: scalar tensor, as `compute_loss` returns it.
        batch_size: int scalar, weight of the step in the epoch's mean.
    """
    model._loss_tracker.update_state(
        unscale_loss_for_distribution(loss), sample_weight=batch_size
    )


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
    return backend.lstm(
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


def recompile(
    model: keras.Model, compile_arguments: dict[str, Any], data_batch: Any
) -> None:
    """Compiles a model anew, also in the middle of `fit`.

    `compile` alone removes the train function that `fit` is running, and variables of
    metrics, losses and optimizer that are first made while tracing fail. So they are
    made here, under the model's strategy. An optimizer is copied, without its state:
    one made outside the strategy's scope does not work in it.
    Checked against Keras 3.15.1.

    Args:
        model: a built model.
        compile_arguments: arguments of `model.compile`.
        data_batch: `(x, y, sample_weight)` arrays of the model's structure; the values
            do not matter.
    """
    with model.distribute_strategy.scope():
        optimizer = compile_arguments.get("optimizer")
        if isinstance(optimizer, keras.optimizers.Optimizer):
            optimizer = type(optimizer).from_config(optimizer.get_config())
            compile_arguments = {**compile_arguments, "optimizer": optimizer}
        model.compile(**compile_arguments)
        model._symbolic_build(data_batch=data_batch)
    model.make_train_function(force=True)


def skip_gradient_reduction(optimizer: keras.optimizers.Optimizer) -> None:
    """Makes an optimizer take its gradients as already summed over replicas.

    Keras clips before it sums, and has no switch for callers that summed before.
    Checked against Keras 3.15.1.

    Args:
        optimizer: changed in place.
    """
    optimizer._all_reduce_sum_gradients = list
