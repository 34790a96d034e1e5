"""`task_loss`: any loss of Keras, made to take class numbers and task logits.

Most of Keras's losses take probabilities unless told otherwise, and many take one-hot
targets: given logits and class numbers they compute something else, or fail.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from typing import Any

import keras

from siatl_keras.losses.task_scores import TaskScores

_NUMBERS = TaskScores("numbers", "logits")
_ONE_HOT = TaskScores("one-hot", "logits")
_TWO_CLASSES = TaskScores("positive", "log-odds")
_PROBABILITIES = TaskScores("one-hot", "probabilities")
_FORMS = {
    keras.losses.SparseCategoricalCrossentropy: _NUMBERS,
    keras.losses.CategoricalCrossentropy: _ONE_HOT,
    keras.losses.CategoricalFocalCrossentropy: _ONE_HOT,
    keras.losses.CategoricalHinge: _ONE_HOT,
    keras.losses.BinaryCrossentropy: _TWO_CLASSES,
    keras.losses.BinaryFocalCrossentropy: _TWO_CLASSES,
    keras.losses.Hinge: _TWO_CLASSES,
    keras.losses.SquaredHinge: _TWO_CLASSES,
    keras.losses.CategoricalGeneralizedCrossEntropy: TaskScores(
        "numbers", "probabilities"
    ),
    keras.losses.KLDivergence: _PROBABILITIES,
    keras.losses.Poisson: _PROBABILITIES,
    keras.losses.MeanSquaredError: _PROBABILITIES,
    keras.losses.MeanAbsoluteError: _PROBABILITIES,
    keras.losses.Huber: _PROBABILITIES,
    keras.losses.LogCosh: _PROBABILITIES,
}


class TaskLoss(keras.losses.Loss):
    """A loss of Keras on the targets and scores that it takes.

    Args:
        loss: the loss.
        shape: makes of a model's targets and outputs the two that `loss` takes.

    Call arguments:
        y_true: the targets.
        y_pred: the outputs.
        sample_weight: float `[batch]`, or `None`.

    Returns:
        what `loss` returns.
    """

    def __init__(
        self, loss: keras.losses.Loss, shape: Callable[[Any, Any], tuple[Any, Any]]
    ) -> None:
        super().__init__(name=loss.name, reduction=loss.reduction, dtype=loss.dtype)
        self.loss = loss
        self.shape = shape

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Computes the loss; see the class."""
        return self.loss(*self.shape(y_true, y_pred), sample_weight)


def task_loss(loss: Any, num_classes: int) -> Any:
    """Makes a loss of the task from what `compile` takes.

    Crossentropies of Keras compute from the logits, whatever their `from_logits`;
    losses that have no such argument get the softmax of the logits. The binary ones and
    `Hinge` compare two classes by the difference of their logits.

    Args:
        loss: name, function, class or object of a loss of Keras; or a function or
            `keras.losses.Loss` of one's own, which gets class numbers and logits.
        num_classes: int, classes of the model.

    Returns:
        a callable on class numbers `[batch]` and logits `[batch, classes]`: a
        `TaskLoss`, or `loss` itself if it is not Keras's.

    Raises:
        ValueError: if it is no loss, or one that classes cannot be learned with.

    Example:
    >>> loss = task_loss("categorical_crossentropy", num_classes=3)
    >>> round(float(loss([2], [[0.0, 0.0, 0.0]])), 3)
    1.099
    """
    if isinstance(loss, str) and loss in ("crossentropy", "ce"):
        loss = "sparse_categorical_crossentropy"
    loss, kind = keras_loss(loss, _FORMS, "class numbers and logits", "classes")
    if kind is None:
        return loss
    form = _FORMS[kind]
    if form is _TWO_CLASSES and num_classes != 2:
        raise ValueError(
            f"`loss` cannot be {_name(loss)}, which tells two classes apart: the model "
            f"has {num_classes}. Pass keras.losses.CategoricalCrossentropy(), "
            "CategoricalFocalCrossentropy() or CategoricalHinge() in its place."
        )
    shape = functools.partial(form.shape, num_classes=num_classes)
    return TaskLoss(from_logits(loss), shape)


def keras_loss(
    loss: Any, kinds: Collection[type], takes: str, compares: str
) -> tuple[Any, type | None]:
    """Resolves what `compile` takes for a loss.

    Args:
        loss: name, function, class, object or configuration.
        kinds: the classes of Keras's losses that a task can be learned with.
        takes: what a loss of one's own takes, for messages.
        compares: what the losses of Keras must compare, for messages.

    Returns:
        the loss, and which of `kinds` it is; `None` if it is one's own.

    Raises:
        ValueError: if it is no loss, another of Keras's, or says that it takes
            probabilities.
    """
    received = loss
    try:
        loss = keras.losses.get(loss)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`loss` must be a loss of Keras, its name, or a function of {takes}. "
            f"Received: loss={received!r}."
        ) from error
    by_function = {kind().fn: kind for kind in kinds}
    loss = by_function[loss]() if loss in by_function else loss
    kind = next((kind for kind in type(loss).__mro__ if kind in kinds), None)
    if kind is None and _module(loss).startswith("keras."):
        raise ValueError(
            f"`loss` cannot be {_name(loss)}, which compares no {compares}. Pass one "
            f"of {sorted(kind.__name__ for kind in kinds)}."
        )
    own = (type(loss).call, type(loss).__call__) if kind else ()
    if kind is None or not all(_module(part).startswith("keras.") for part in own):
        refuse_probabilities("loss", loss)
        return loss, None
    return loss, kind


def from_logits(loss: keras.losses.Loss) -> keras.losses.Loss:
    """Rebuilds a crossentropy of Keras so that it computes from logits.

    Args:
        loss: one that has no `from_logits` is returned as it is.

    Raises:
        ValueError: if it is a subclass, and takes probabilities.
    """
    config = loss.get_config()
    if config.get("from_logits", True):
        return loss
    if not type(loss).__module__.startswith("keras."):
        refuse_probabilities("loss", loss)
    return type(loss)(**{**config, "from_logits": True}, dtype=loss.dtype)


def refuse_probabilities(argument: str, function: Any) -> None:
    """Raises a `ValueError` if a loss or metric says that it takes no logits.

    Args:
        argument: of `compile`, for the message.
        function: a loss or metric that is not Keras's own.
    """
    if getattr(function, "from_logits", True) is False:
        raise ValueError(
            f"`{argument}` would get logits, and {_name(function)} takes "
            "probabilities. Build it with from_logits=True."
        )


def _module(thing: Any) -> str:
    if not inspect.isroutine(thing):
        thing = type(thing)
    return getattr(thing, "__module__", None) or ""


def _name(thing: Any) -> str:
    return getattr(thing, "__name__", None) or type(thing).__name__
