"""`WeightAveraging`: validates and keeps the mean of the weights over the last steps.

A few hundred texts make single steps noisy: one epoch's last step may leave a model
that leans to a class, and early stopping on as few texts cannot tell. The mean over
steps moves slowly where the weights jump. Source: Polyak & Juditsky 1992; the rising
momentum is that of TensorFlow's `ExponentialMovingAverage(num_updates=)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.arguments import check_share
from siatl_keras.callbacks.inside_execution import InsideExecution


class WeightAveraging(keras.callbacks.Callback):
    """Averages what learns, step by step; training itself is unchanged.

    After a step, average = m · average + (1 - m) · weight, with
    m = min(`momentum`, (1 + steps) / (10 + steps)): about the last tenth of the steps
    at first, and never more than about 1 / (1 - `momentum`) of them. A layer that is
    thawed late is averaged from then on. The model holds the averages from the
    beginning of validation to the end of the epoch, for `EarlyStopping`,
    `ModelCheckpoint` and whatever else comes later in the list of callbacks, and when
    training has ended. List it after `SequentialUnfreezing`.

    Unlike Keras's `use_ema` with `SwapEMAWeights`, it may meet optimizers that step
    some of their weights, or none yet.

    Args:
        momentum: float, at least 0 and below 1.

    Raises:
        ValueError: if `momentum` is out of range.

    Example:
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit(np.ones((8, 1)), np.ones(8), epochs=3, verbose=0,
    ...     callbacks=[WeightAveraging(0.9)])
    """

    def __init__(self, momentum: float = 0.99) -> None:
        super().__init__()
        check_share(momentum=momentum)
        self.momentum = momentum
        self._inside = InsideExecution(lambda share: self._update(share), after=True)
        self._reset()

    def _reset(self) -> None:
        self._steps = 0
        self._variables: list[keras.Variable] = []
        self._averages: list[keras.Variable] = []
        # What training continues from, while the model has the averages.
        self._weights: list[np.ndarray] | None = None
        self._learning: set[int] = set()
        self._update: Callable[[tf.Tensor], None] = _averaging([])

    def state_for_backup(self) -> dict[str, Any]:
        """Returns the number of steps, and the places of what has been averaged."""
        places = {id(v): place for place, v in enumerate(self.model.variables)}
        return {
            "steps": self._steps,
            "places": [places[id(variable)] for variable in self._variables],
        }

    def arrays_for_backup(self) -> list[np.ndarray]:
        """Returns the weights that training continues from."""
        return self._weights or []

    def restore_from_backup(self, state: dict[str, Any]) -> None:
        """Takes what `state_for_backup` returned."""
        self._steps = state["steps"]
        self._variables = [self.model.variables[place] for place in state["places"]]

    def restore_arrays(self, arrays: Sequence[np.ndarray]) -> None:
        """Takes what `arrays_for_backup` returned."""
        self._weights = list(arrays)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begins without averages."""
        self._reset()
        self._inside.enter(self.model)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Gives the model its weights back, and averages also what is new to learn."""
        learning = self.model.trainable_variables
        known = {id(variable) for variable in self._variables}
        self._variables += [v for v in learning if id(v) not in known]
        weights = self._weights or []
        with self.model.distribute_strategy.scope():
            # Before the weights come back: a resumed run's averages are in the model.
            new = self._variables[len(self._averages) :]
            self._averages += [_copy_of(variable) for variable in new]
            _assign(self._variables[: len(weights)], weights)
        self._weights = None
        learns = {id(variable) for variable in learning}
        if learns != self._learning:  # Traced once per stage.
            pairs = zip(self._variables, self._averages, strict=True)
            self._update = _averaging([pair for pair in pairs if id(pair[0]) in learns])
            self._learning = learns
            self._inside.trace_again()

    def on_train_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Says what the steps that come count for."""
        steps = range(self._steps + 1, self._steps + 1 + self._inside.steps)
        self._inside.begin([1 - self._momentum_at(step) for step in steps])

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Averages, where that was not done inside the execution."""
        self._steps += self._inside.end()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leaves the model's train step as it was."""
        self._inside.leave()

    def _momentum_at(self, step: int) -> float:
        return min(self.momentum, (1 + step) / (10 + step))

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Gives the model the averages, for validation."""
        self._average_model()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Gives the model the averages, if there was no validation."""
        self._average_model()

    def _average_model(self) -> None:
        if self._weights is None:
            self._weights = [_value(variable) for variable in self._variables]
            _assign(self._variables, [_value(average) for average in self._averages])


def _averaging(
    pairs: Sequence[tuple[keras.Variable, keras.Variable]],
) -> Callable[[tf.Tensor], None]:
    """Compiles the update of all averages, given 1 - momentum."""

    @tf.function
    def update(share: tf.Tensor) -> None:
        for variable, average in pairs:
            weight = tf.cast(variable.value, average.dtype)
            average.assign(average.value + share * (weight - average.value))

    return update


def _copy_of(variable: keras.Variable) -> keras.Variable:
    # float32, because a small share of a small step is lost in bfloat16.
    return keras.Variable(_value(variable), dtype="float32", trainable=False)


def _value(variable: keras.Variable) -> np.ndarray:
    return keras.ops.convert_to_numpy(variable)


def _assign(variables: Sequence[keras.Variable], values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
