"""Everything of Keras's that is private and that we must touch.

Each function says why it exists and the version it was checked against; each has a
test in `tests/test_keras_internals.py` that fails first when Keras moves.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf
from keras.src import backend
from keras.src.backend.common import global_state
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer
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


def build_losses_and_metrics(
    model: keras.Model, y: Any, y_pred: Any, sample_weight: Any
) -> None:
    """Makes the variables of a compiled model's losses and metrics, if they lack.

    Without a strategy Keras makes them while it traces the first step, and TensorFlow
    then traces that step again. With one it makes them from the first batch of data,
    see `BuiltFromPlaceholders`. Checked against Keras 3.15.1.

    Args:
        model: a compiled model.
        y: targets: arrays of the model's structure; the values do not matter.
        y_pred: what losses and metrics take.
        sample_weight: weights.
    """
    if model._compile_loss.built and model._compile_metrics.built:
        return
    y, y_pred, sample_weight = keras.tree.map_structure(
        lambda array: keras.KerasTensor(array.shape, str(array.dtype)),
        (y, y_pred, sample_weight),
    )
    with model.distribute_strategy.scope():
        for function in (model.compute_metrics, model._compute_loss):
            backend.compute_output_spec(
                function, None, y, y_pred, sample_weight=sample_weight
            )


class BuiltFromPlaceholders:
    """Mixin for a `keras.Model` that builds all its parts without data.

    Under a strategy Keras takes the first batch of the data for that, and averages it
    over the replicas, which fails where it does not divide by their number.
    Checked against Keras 3.15.1.
    """

    def _maybe_symbolic_build(
        self, iterator: Any = None, data_batch: Any = None
    ) -> None:
        """Does nothing; Keras calls it before `fit`, `evaluate` and the like."""


class StepsOneByOne:
    """Mixin for a `keras.Model` whose `steps_per_execution` works on several devices.

    Keras's loop over the steps of an execution fails there ("You must feed a value for
    placeholder tensor", keras issue 19246), so that steps are called one after another.
    Checked against Keras 3.15.1.
    """

    def _make_function(self, step_function: Callable[[Any], Any]) -> Callable[..., Any]:
        """Makes the function that runs an execution."""
        model: Any = self
        if model.distribute_strategy.num_replicas_in_sync == 1:
            return super()._make_function(step_function)  # type: ignore[misc]
        one_step = TensorFlowTrainer._make_function(_OfOneStep(model), step_function)

        def execution(iterator: Any) -> Any:
            logs = one_step(iterator)
            if isinstance(iterator, tf.distribute.DistributedIterator):
                with contextlib.suppress(tf.errors.OutOfRangeError):
                    for _ in range(1, model.steps_per_execution):
                        logs = one_step(iterator)
            return logs

        return execution


class _OfOneStep:
    """A model as Keras's trainer sees it where an execution is one step."""

    steps_per_execution = 1

    def __init__(self, model: keras.Model) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def replace_losses(
    model: keras.Model, replacement: Callable[[keras.losses.Loss], Any]
) -> None:
    """Replaces the losses that a compiled model has resolved.

    Users name losses, or pass functions, and what these mean is only known once they
    are built. Checked against Keras 3.15.1.

    Args:
        model: a compiled model, its losses built.
        replacement: returns what is called in place of a loss, or the loss itself.
    """
    compiled = model._compile_loss
    compiled._flat_losses = [
        loss._replace(loss=replacement(loss.loss)) for loss in compiled._flat_losses
    ]


@contextlib.contextmanager
def gradients_are_summed(optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Lets an optimizer take gradients that are summed over replicas already.

    Keras clips before it sums, and has no switch for callers that summed before. The
    replicas' threads meet in every update, so that none leaves the context before all
    are past the reduction. Checked against Keras 3.15.1.

    Args:
        optimizer: any Keras optimizer, others inside it included.
    """
    optimizers = _inner_optimizers(optimizer)
    reducing = [o for o in optimizers if "_all_reduce_sum_gradients" not in vars(o)]
    for each in reducing:
        each._all_reduce_sum_gradients = list
    try:
        yield
    finally:
        for each in reducing:
            del each._all_reduce_sum_gradients


def _inner_optimizers(
    optimizer: keras.optimizers.Optimizer,
) -> list[keras.optimizers.Optimizer]:
    inner = list(getattr(optimizer, "optimizers", ()))
    if hasattr(optimizer, "inner_optimizer"):
        inner.append(optimizer.inner_optimizer)
    return [optimizer, *(o for each in inner for o in _inner_optimizers(each))]


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


class EpochLogsFromMetrics:
    """Mixin for a `keras.Model` whose `train_step` reports a part of its metrics.

    Keras then takes an epoch's logs from its last step, where they are a mean over
    replicas, each of which has seen a part of the data.
    Checked against Keras 3.15.1.
    """

    def _get_metrics_result_or_logs(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Takes the logs' values from the metrics, whose sums span all replicas."""
        results = self.get_metrics_result()  # type: ignore[attr-defined]
        return {name: results.get(name, value) for name, value in logs.items()}


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
