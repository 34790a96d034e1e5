"""What of Keras's optimizers is private and we must touch.

Each part says why it exists and the version it was checked against; each has a test in
`tests/compat/test_optimizer_parts.py` that fails first when Keras moves.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, TypeVar

import keras
import tensorflow as tf

Optimizer = TypeVar("Optimizer", bound=type)


def fused_global_norm(cls: Optimizer) -> Optimizer:
    """Computes an optimizer's `global_clipnorm` in fewer passes over the gradients.

    Keras writes out the square of every gradient, and makes sparse gradients dense.
    There is no public hook before the clipping. Checked against Keras 3.15.1.

    Args:
        cls: a `keras.optimizers.Optimizer`.

    Returns:
        the class.
    """
    optimizer_class: Any = cls
    clip_gradients = optimizer_class._clip_gradients

    def clip(optimizer: Any, grads: list[Any]) -> list[Any]:
        """Clips; anything but `global_clipnorm` is left to Keras."""
        clipnorm = optimizer.global_clipnorm
        if not clipnorm or optimizer.clipnorm:
            return clip_gradients(optimizer, grads)
        grads = [sum_duplicates(gradient) for gradient in grads]
        squares = [
            tf.cast(tf.nn.l2_loss(_values(gradient)), tf.float32) for gradient in grads
        ]
        norm = tf.sqrt(2.0 * tf.add_n(squares))
        # As in Keras: not finite if the norm is not.
        scale = clipnorm * tf.minimum(1.0 / norm, 1.0 / clipnorm) + (norm - norm)
        return [_scaled(gradient, scale) for gradient in grads]

    optimizer_class._clip_gradients = clip
    return cls


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


def optimized_variables(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Lists the variables that an optimizer was built on.

    Checked against Keras 3.15.1.

    Args:
        optimizer: a built optimizer, loss scaling around it or not.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return list(inner._trainable_variables)


def summed_over_replicas(
    optimizer: keras.optimizers.Optimizer, pairs: list[tuple[Any, Any]]
) -> list[tuple[Any, Any]]:
    """Sums gradients over the replicas, where an optimizer's `apply` does.

    Checked against Keras 3.15.1.

    Args:
        optimizer: any Keras optimizer.
        pairs: of gradient and variable.
    """
    return optimizer._all_reduce_sum_gradients(pairs)


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


def _values(gradient: Any) -> tf.Tensor:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def _scaled(gradient: Any, scale: tf.Tensor) -> Any:
    values = _values(gradient) * tf.cast(scale, gradient.dtype)
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
    return values
