"""`InsideExecution`: calls a callback's function at every step of an execution.

With `steps_per_execution` above 1 Keras runs several steps in one graph and calls its
callbacks around all of them; what belongs to a step has to be in the graph too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from siatl_keras.callbacks.wait_for_data import wait_for_data


class InsideExecution:
    """Calls a function with one value before, or after, each step that a model makes.

    Where an execution is one step, the function is called around it and the model stays
    as it is. Otherwise it is called inside the model's `train_step`, on all replicas
    together.

    Args:
        function: takes a float32 scalar.
        after: bool, whether it is called after the step rather than before.

    Example:
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> values = []
    >>> inside = InsideExecution(lambda value: values.append(float(value)))
    >>> inside.enter(model)  # When training begins.
    >>> inside.begin([0.5])  # Before each execution.
    >>> inside.end()  # After it.
    1
    >>> inside.leave()  # When training ends.
    >>> values
    [0.5]
    """

    def __init__(self, function: Callable[[Any], None], after: bool = False) -> None:
        self.steps = 1
        self._function = function
        self._after = after
        self._model: keras.Model | None = None
        self._values: Sequence[float] = ()

    def enter(self, model: keras.Model) -> None:
        """Goes before the first execution.

        Args:
            model: a compiled model. Its `steps_per_execution` is then in `steps`.
        """
        self.leave()  # A `fit` that was interrupted may not have.
        self.steps = int(model.steps_per_execution)
        if self.steps == 1:
            return
        self._model = model
        with model.distribute_strategy.scope():
            self._upcoming = tf.Variable(tf.zeros([self.steps]), trainable=False)
            # Steps made of the execution; all of them while none is running.
            self._made = tf.Variable(self.steps, trainable=False)
        if not isinstance(model.train_step, _StepWithCalls):
            model.train_step = _StepWithCalls(model.train_step)
        model.train_step.calls.append(self)
        self.trace_again()

    def begin(self, values: Sequence[float]) -> None:
        """Goes before an execution.

        Args:
            values: what the function gets, one per step; `steps` of them, though the
                last execution of an epoch may make fewer.
        """
        self._values = values
        if self._model is not None:
            self._upcoming.assign(values)
            self._made.assign(0)
        elif not self._after:
            self._function(tf.constant(values[0], "float32"))

    def end(self) -> int:
        """Goes after an execution; returns how many steps it made."""
        if self._model is not None:
            made = int(self._made.numpy())
            self._made.assign(self.steps)
            return made
        if self._after:
            self._function(tf.constant(self._values[0], "float32"))
        return 1

    def trace_again(self) -> None:
        """Lets what the function does now take the place of what has been traced."""
        if self._model is not None:
            self._model.make_train_function(force=True)

    def leave(self) -> None:
        """Goes after the last execution; leaves the model as it was."""
        if self._model is None:
            return
        calls = self._model.train_step.calls
        calls.remove(self)
        if not calls:
            del self._model.train_step
        self.trace_again()
        self._model = None

    def call(self, after: bool) -> None:
        """Calls the function in the graph, if it is its turn.

        Args:
            after: bool, whether the step has been made.
        """
        if after != self._after:
            return

        def call_function() -> tf.Tensor:
            self._function(self._upcoming[self._made])
            self._made.assign_add(1)
            return tf.constant(True)

        def on_all_replicas(_: Any) -> None:
            # Not where a `fit` that was interrupted has left this to the next one.
            tf.cond(self._made < self.steps, call_function, lambda: tf.constant(False))

        tf.distribute.get_replica_context().merge_call(on_all_replicas)


class _StepWithCalls:
    """A model's `train_step` with what is called before and after it."""

    def __init__(self, step: Callable[[Any], Any]) -> None:
        self.step = step
        self.calls: list[InsideExecution] = []

    def __call__(self, data: Any) -> Any:
        with wait_for_data(data):
            for each in self.calls:
                each.call(after=False)
        logs = self.step(data)
        with wait_for_data(data):
            for each in self.calls:
                each.call(after=True)
        return logs
