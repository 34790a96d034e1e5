"""What of Keras's training steps is private, and what we must change in them.

As in `_keras_internals`: each part says why it exists and the version it was checked
against; each has a test in `tests/test_keras_step_internals.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf
from keras.src import backend
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


def recompile(
    model: keras.Model, compile_arguments: dict[str, Any], data_batch: Any
) -> None:
    """Compiles a model again, also in the middle of `fit`.

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


class _LossMean(keras.metrics.Mean):
    """The mean of an output's loss over the texts of an epoch."""

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Does nothing: Keras calls it with what it takes for the batch's size."""

    def add(self, loss: Any, batch_size: Any) -> None:
        """Adds a batch's loss."""
        super().update_state(loss, sample_weight=batch_size)


class _RecordedLoss:
    def __init__(
        self, loss: Any, mean: _LossMean | None, batch_size: Callable[[Any], Any]
    ) -> None:
        self.loss = loss
        self.mean = mean
        self.batch_size = batch_size

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        value = self.loss(y_true, y_pred, sample_weight)
        if self.mean is not None:
            weight = self.batch_size(y_pred)
            self.mean.add(unscale_loss_for_distribution(value), weight)
        return value


def replace_losses(
    model: keras.Model,
    replacement: Callable[[keras.losses.Loss], Any],
    batch_size: Callable[[Any], Any],
) -> None:
    """Replaces the losses that a compiled model has resolved, and how they are logged.

    Users name losses, or pass functions, and what these mean is only known once they
    are built. Of several outputs Keras also logs each loss: it weighs batches by the
    static shape of `y_pred`, which pipelines do not have, so that a last, small batch
    counts as much as a full one (`loss` it weighs well).
    Checked against Keras 3.15.1.

    Args:
        model: a compiled model, its losses built. A second call does nothing.
        replacement: returns what is called in place of a loss, or the loss itself.
        batch_size: returns the weight of a batch, from a `y_pred`.
    """
    compiled = model._compile_loss
    losses = compiled._flat_losses
    if any(isinstance(each.loss, _RecordedLoss) for each in losses):
        return
    with model.distribute_strategy.scope():
        compiled._metrics[:] = [_LossMean(name=mean.name) for mean in compiled.metrics]
    means = compiled.metrics or [None] * len(losses)
    compiled._flat_losses = [
        each._replace(loss=_RecordedLoss(replacement(each.loss), mean, batch_size))
        for each, mean in zip(losses, means, strict=True)
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
