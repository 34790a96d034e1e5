"""What of Keras's training loop is private, and what we must change in it.

Each part says why it exists and the version it was checked against; each has a test in
`tests/compat/test_trainer.py` that fails first when Keras moves.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

import keras
import tensorflow as tf
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer
from keras.src.losses.losses import LossFunctionWrapper

Model = TypeVar("Model", bound=type)


def set_initial_epoch(model: keras.Model, epoch: int) -> None:
    """Sets the epoch, from 0, with which the running `fit` begins; 0 for its argument.

    `keras.callbacks.BackupAndRestore` does it so; there is no public way.
    Checked against Keras 3.15.1.

    Args:
        model: the model in training, before its first epoch.
        epoch: number of epochs already done.
    """
    model._initial_epoch = epoch


def direction_of(metric: keras.metrics.Metric) -> str | None:
    """Says which way a metric is better, as far as Keras knows.

    There is no public way to ask. Checked against Keras 3.15.1.

    Args:
        metric: any metric.

    Returns:
        "min" or "max"; `None` if it does not say.
    """
    return {"down": "min", "up": "max"}.get(getattr(metric, "_direction", ""))


def set_direction(metric: keras.metrics.Metric, other: Any) -> None:
    """Gives a metric the direction "up" or "down", or another metric's.

    Checked against Keras 3.15.1.

    Args:
        metric: the metric.
        other: str, or the other metric, which may have none.
    """
    direction = other if isinstance(other, str) else getattr(other, "_direction", None)
    if direction is not None:
        metric._direction = direction


def loss_of_function(function: Callable[..., Any], name: str | None) -> Any:
    """Makes a loss of a function, as `compile` does of a user's own.

    Its class is not public. Checked against Keras 3.15.1.

    Args:
        function: of targets and outputs, returns the loss of each text.
        name: str, of the loss.

    Returns:
        `keras.losses.Loss`, a mean over texts.
    """
    return LossFunctionWrapper(function, name=name)


def repaired_training(cls: Model) -> Model:
    """Repairs the training loop of a class whose models compute losses themselves.

    Such a model is built, its metrics and its optimizer too, before `fit` begins.
    Checked against Keras 3.15.1:

    - Under a strategy Keras takes the first batch of the data to build the rest, and
      averages it over the replicas, which fails where it does not divide by them.
    - There, its loop over the steps of an execution fails ("You must feed a value for
      placeholder tensor", keras issue 19246): steps are called one after another.
    - Over several workers it averages the logs of a step along an axis that they have
      not (keras issues 20585 and 20329). They are the same on all replicas.
    - Of a `train_step` that reports a part of its metrics it takes an epoch's logs from
      the last step, where they are a mean over replicas that saw a part of the data.

    Args:
        cls: a `keras.Model`.

    Returns:
        the class.
    """
    model_class: Any = cls
    make_function = model_class._make_function

    def build_nothing(model: Any, iterator: Any = None, data_batch: Any = None) -> None:
        """Does nothing; Keras calls it before `fit`, `evaluate` and the like."""

    def make_function_of_steps(
        model: Any, step_function: Callable[[Any], Any]
    ) -> Callable[..., Any]:
        """Makes the function that runs an execution."""
        if model.distribute_strategy.num_replicas_in_sync == 1:
            return make_function(model, step_function)
        one_step = TensorFlowTrainer._make_function(_OfOneStep(model), step_function)

        def execution(iterator: Any) -> Any:
            logs = one_step(iterator)
            if isinstance(iterator, tf.distribute.DistributedIterator):
                with contextlib.suppress(tf.errors.OutOfRangeError):
                    for _ in range(1, model.steps_per_execution):
                        logs = one_step(iterator)
            return logs

        return execution

    def logs_from_metrics(model: Any, logs: dict[str, Any]) -> dict[str, Any]:
        """Takes the logs' values from the metrics, whose sums span all replicas."""
        results = model.get_metrics_result()
        return {name: results.get(name, value) for name, value in logs.items()}

    model_class._maybe_symbolic_build = build_nothing
    model_class._make_function = make_function_of_steps
    model_class._get_metrics_result_or_logs = logs_from_metrics
    return cls


class _OfOneStep:
    """A model as Keras's trainer sees it where an execution is one step."""

    steps_per_execution = 1

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self.distribute_strategy = _OfEqualLogs(model.distribute_strategy)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


class _OfEqualLogs:
    """A strategy as Keras's trainer sees it where all replicas return the same."""

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        self._strategy = strategy

    def run(self, function: Callable[..., Any], args: Any) -> Any:
        """Runs a step on all replicas; returns what the first of them does."""
        logs = self._strategy.run(function, args=args)
        return {
            name: self._strategy.experimental_local_results(value)[0]
            for name, value in logs.items()
        }
