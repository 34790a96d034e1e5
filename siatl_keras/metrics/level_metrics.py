"""Metrics of levels that have an order, and how outputs become levels."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from siatl_keras.arguments import check_whole
from siatl_keras.compat.trainer import set_direction


def level_log_probabilities(outputs: Any) -> Any:
    """Turns the outputs of an ordered target into log probabilities of its levels.

    A text that has reached level k goes on to the next with the probability
    sigmoid(outputs[k]), and stops there otherwise.

    Args:
        outputs: float `[batch, levels - 1]`.

    Returns:
        `[batch, levels]`, whose exponentials sum to 1.
    """
    goes_on = ops.log_sigmoid(outputs)
    stops = ops.log_sigmoid(-outputs)
    reached = ops.cumsum(goes_on, axis=-1)  # [batch, levels - 1]: levels from 1 on
    first = ops.zeros_like(reached[:, :1])
    last = ops.concatenate([stops, first], axis=-1)
    return ops.concatenate([first, reached], axis=-1) + last


def median_levels(log_probabilities: Any) -> Any:
    """Finds the lowest level that at most half of the probability lies above.

    Args:
        log_probabilities: float `[batch, levels]`.

    Returns:
        int32 `[batch]`.
    """
    up_to = ops.cumsum(ops.exp(log_probabilities), axis=-1)[:, :-1]
    return ops.sum(ops.cast(up_to < 0.5, "int32"), axis=-1)


class LevelAccuracy(keras.metrics.Mean):
    """Share of texts whose median level is the true one."""

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        set_direction(self, "up")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch.

        Args:
            y_true: int `[batch]`, level numbers.
            y_pred: float `[batch, levels]`, log probabilities.
            sample_weight: float `[batch]`, or `None`.
        """
        right = ops.equal(_numbers(y_true), median_levels(y_pred))
        super().update_state(ops.cast(right, "float32"), sample_weight)


class LevelError(keras.metrics.Mean):
    """Mean absolute difference between the median level and the true one."""

    def __init__(self, name: str = "mae", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        set_direction(self, "down")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch; arguments as for `LevelAccuracy`."""
        error = ops.abs(_numbers(y_true) - median_levels(y_pred))
        super().update_state(ops.cast(error, "float32"), sample_weight)


@keras.saving.register_keras_serializable(package="siatl_keras")
class QuadraticKappa(keras.metrics.Metric):
    """Cohen's kappa of levels, disagreement weighed by its square.

    1 is full agreement, 0 what independent answers of the same frequencies would give.

    Args:
        num_levels: int, at least 2.
        name: name of the metric.
        dtype: dtype of its state.
    """

    def __init__(
        self, num_levels: int, name: str = "quadratic_kappa", dtype: str = "float32"
    ) -> None:
        check_whole(2, num_levels=num_levels)
        super().__init__(name=name, dtype=dtype)
        set_direction(self, "up")
        self.num_levels = num_levels
        self.confusion = self.add_weight(
            shape=(num_levels, num_levels), initializer="zeros", name="confusion"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Adds a batch; arguments as for `LevelAccuracy`."""
        true = ops.one_hot(_numbers(y_true), self.num_levels, dtype=self.dtype)
        if sample_weight is not None:
            weights = ops.reshape(ops.cast(sample_weight, self.dtype), (-1, 1))
            true = true * weights
        said = ops.one_hot(median_levels(y_pred), self.num_levels, dtype=self.dtype)
        self.confusion.assign_add(ops.matmul(ops.transpose(true), said))

    def result(self) -> Any:
        """Returns the kappa; 0 before the first batch, 1 where nothing disagrees."""
        levels = ops.arange(self.num_levels, dtype=self.dtype)
        distance = ops.square(levels[:, None] - levels[None, :])
        confusion = ops.convert_to_tensor(self.confusion)
        total = ops.sum(confusion)
        true, said = ops.sum(confusion, axis=1), ops.sum(confusion, axis=0)
        by_chance = ops.divide_no_nan(true[:, None] * said[None, :], total)
        observed = ops.sum(distance * confusion)
        expected = ops.sum(distance * by_chance)
        kappa = 1.0 - ops.divide_no_nan(observed, expected)
        return ops.where(total > 0, kappa, 0.0)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            "num_levels": self.num_levels,
            "name": self.name,
            "dtype": super().get_config()["dtype"],
        }


def _numbers(y_true: Any) -> Any:
    return ops.reshape(ops.cast(y_true, "int32"), (-1,))
