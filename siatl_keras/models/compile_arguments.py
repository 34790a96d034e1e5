"""`OutputArguments`: what `compile` takes for each of a classifier's two outputs.

Keras's arguments for a model with the outputs `task` and `lm`, checked before anything
is compiled: a compilation that fails must leave the one before it whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from siatl_keras.compat import layer_parts, trainer
from siatl_keras.tasks import Task

OUTPUTS = ("task", "lm")
# Names that the logs have already.
RESERVED_NAMES = ("loss", "task_loss", "lm_loss", "perplexity", "gamma", "stage")


@dataclass(frozen=True)
class TrialBatch:
    """A batch of the task to try losses and metrics on; the values do not matter.

    Attributes:
        task: the model's.
    """

    task: Task

    @property
    def rows(self) -> int:
        """Another number than 1 or that of outputs, lest shapes agree by accident."""
        return self.task.num_outputs + 2

    @property
    def y_true(self) -> Any:
        """Targets, `[rows, …]`."""
        shape = (self.rows, *self.task.target_shape)
        return np.zeros(shape, self.task.target_dtype)

    @property
    def y_pred(self) -> Any:
        """Outputs, float32 `[rows, outputs]`."""
        return np.zeros((self.rows, self.task.num_outputs), "float32")

    @property
    def sample_weight(self) -> Any:
        """Weights, float32 `[rows]`."""
        return np.zeros(self.rows, "float32")


def checked_task_arguments(
    task: Task, loss: Any, metrics: Any, weighted_metrics: Any
) -> dict[str, Any]:
    """Makes the task's loss and metrics, and tries them.

    Args:
        task: the model's.
        loss: as for `compile`.
        metrics: likewise.
        weighted_metrics: likewise.

    Returns:
        dict of the arguments of the same names of `TaskObjective`.

    Raises:
        ValueError: if one of them cannot be computed for such a task.
    """
    batch = TrialBatch(task)
    if is_auto(metrics):
        metrics = task.default_metrics()
    return {
        "loss": checked_task_loss(loss, batch),
        "metrics": checked_task_metrics("metrics", metrics, batch, False),
        "weighted_metrics": checked_task_metrics(
            "weighted_metrics", weighted_metrics, batch, True
        ),
    }


def checked_task_loss(loss: Any, batch: TrialBatch) -> Any:
    """Makes the task's loss, and tries it.

    Args:
        loss: as for `compile`: a loss; or a dict or list by output, whose LM loss can
            only be the model's own.
        batch: what to try it on.

    Returns:
        a loss of targets and outputs.

    Raises:
        ValueError: if it is none, or another loss is asked for the LM.
    """
    losses = {"task": loss}
    if isinstance(loss, list | tuple | Mapping) and not _is_config(loss):
        losses = _by_output("loss", loss)
    lm_loss = losses.get("lm", "auto")
    if lm_loss not in (None, "auto"):
        raise ValueError(
            "`loss` of the output 'lm' is always the mean cross-entropy of the real "
            f'tokens. Leave it out, or pass "auto". Received: {lm_loss!r}.'
        )
    loss = losses.get("task", "auto")
    if loss is None:
        raise ValueError(
            '`loss` must be a loss of the task, or "auto". Received: loss=None.'
        )
    made = batch.task.loss(loss)
    # As Keras hands targets to a loss.
    targets = batch.y_true.astype("float32")
    _try("loss", loss, batch.task.shapes, made, targets, batch.y_pred)
    if isinstance(made, keras.losses.Loss):
        return made
    return trainer.loss_of_function(made, _name_of(loss))


def checked_task_metrics(
    argument: str, metrics: Any, batch: TrialBatch, weighted: bool
) -> list[Any]:
    """Makes the task's metrics, and builds them.

    Args:
        argument: name of the argument of `compile`.
        metrics: as for `compile`: a metric or a list; or a dict by output.
        batch: what to try it on.
        weighted: bool, whether they get weights.

    Returns:
        metrics of targets and outputs.

    Raises:
        ValueError: if one is no metric, cannot take the targets, or has a name that
            the logs have already, or one is asked for the LM.
    """
    if isinstance(metrics, Mapping) and not _is_config(metrics):
        by_output = _by_output(argument, metrics)
        if by_output.get("lm"):
            raise ValueError(
                f"`{argument}` of the output 'lm' is always its perplexity: its logits "
                f"are never computed. Leave 'lm' out. Received: {by_output['lm']!r}."
            )
        metrics = by_output.get("task")
    if metrics is None:
        return []
    made = []
    for metric in metrics if isinstance(metrics, list | tuple) else [metrics]:
        if isinstance(metric, list | tuple):
            raise ValueError(
                f"`{argument}` must be one list, of the task's metrics, or a dict "
                f'such as {{"task": ["accuracy"]}}. Received: {metrics!r}.'
            )
        shaped = batch.task.metric(metric)
        name = getattr(shaped, "name", None)
        if name in RESERVED_NAMES:
            raise ValueError(
                f"`{argument}` holds a metric named {name!r}, which the logs have "
                "already. Give it another name."
            )
        update = getattr(shaped, "update_state", None)
        weights = (batch.sample_weight,) if weighted and update else ()
        arrays = (batch.y_true, batch.y_pred, *weights)
        _try(argument, metric, batch.task.shapes, update or shaped, *arrays)
        if update is None:
            shaped = keras.metrics.MeanMetricWrapper(shaped, name=_name_of(metric))
        made.append(shaped)
    return made


def checked_loss_weights(
    loss_weights: Any, gamma: keras.Variable, auxiliary_loss: bool
) -> dict[str, float]:
    """Reads the weights of the two losses.

    Args:
        loss_weights: dict by output, a list of two numbers, or `None`.
        gamma: the model's γ, which may stand for itself.
        auxiliary_loss: bool, whether the model has an LM loss.

    Returns:
        the weights that were given, by output.

    Raises:
        ValueError: if one is no number from 0 up.
    """
    if loss_weights is None:
        return {}
    weights = {}
    for output, weight in _by_output("loss_weights", loss_weights).items():
        if output == "lm" and (weight is None or weight is gamma):
            continue
        if isinstance(weight, keras.Variable):
            raise ValueError(
                f"`loss_weights[{output!r}]` must be a number; γ is the model's own "
                "variable. To change it in training, assign `model.gamma`, or pass "
                f"`GammaDecay` to `fit`. Received: {weight!r}."
            )
        try:
            number = float(weight)
        except (TypeError, ValueError):
            number = math.nan
        if not 0 <= number < math.inf:
            raise ValueError(
                f"`loss_weights[{output!r}]` must be a number from 0 up. Received: "
                f"{weight!r}."
            )
        weights[output] = number
    if weights.get("lm") and not auxiliary_loss:
        raise ValueError(
            "`loss_weights['lm']` weighs a loss that this model does not have: it was "
            f"built with auxiliary_loss=False. Received: {weights['lm']}."
        )
    return weights


def _by_output(argument: str, value: Any) -> dict[str, Any]:
    """Reads a dict or a list by output."""
    if isinstance(value, list | tuple) and len(value) == len(OUTPUTS):
        return dict(zip(OUTPUTS, value, strict=True))
    if not isinstance(value, Mapping) or not set(value) <= set(OUTPUTS):
        raise ValueError(
            f"`{argument}` must be a dict with the model's outputs 'task' and 'lm', or "
            f"one of them, as keys. Received: {value!r}."
        )
    return dict(value)


def is_auto(value: Any) -> bool:
    """Whether an argument is left to the model."""
    return isinstance(value, str) and value == "auto"


def _is_config(value: Any) -> bool:
    """Tells a serialized Keras object from a dict by output."""
    return isinstance(value, Mapping) and "class_name" in value


def _try(argument: str, given: Any, takes: str, function: Any, *arrays: Any) -> None:
    """Runs a loss or metric on arrays without values, which builds it."""
    try:
        layer_parts.symbolic_call(function, *arrays)
    except Exception as error:
        name = repr(_name_of(given) or given)
        raise ValueError(
            f"`{argument}`: {name} cannot be computed from {takes}: {error}"
        ) from error


def _name_of(given: Any) -> str | None:
    return getattr(given, "name", None) or getattr(given, "__name__", None)
