"""Refusals of what a dataset holds: of its form at once, of its rows when read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

# By which an error that arises in a dataset's graph is found again.
MARK, END = "siatl_keras refuses: ", " (end of refusal)"


def refused_unless(right: tf.Tensor, message: list[Any], value: tf.Tensor) -> tf.Tensor:
    """Returns `value`, or ends the iteration, in the graph of a dataset.

    Args:
        right: bool, scalar.
        message: strings, also in the graph, that make up the message.
        value: what is returned.
    """
    text = tf.strings.join([MARK, *message, END])
    with tf.control_dependencies([tf.Assert(right, [text])]):
        return tf.identity(value)


def refuse_row(
    wrong: tf.Tensor, labels: tf.Tensor, argument: str, why: str, value: tf.Tensor
) -> tf.Tensor:
    """Returns `value`, or ends the iteration with the first label that is wrong.

    Args:
        wrong: bool `[labels]`.
        labels: string `[labels]`, as they are shown.
        argument: name of the argument.
        why: what is wrong with it; goes on from "holds the label …, which is ".
        value: what is returned.
    """
    first = tf.strings.reduce_join(tf.boolean_mask(labels, wrong)[:1])
    message = [
        f"`{argument}` holds the label ",
        tf.strings.substr(first, 0, 40),
        f", which is {why}.",
    ]
    return refused_unless(~tf.reduce_any(wrong), message, value)


@contextlib.contextmanager
def errors_of_rows() -> Iterator[None]:
    """Turns what a dataset found wrong in a row into a `ValueError`."""
    try:
        yield
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        if MARK not in str(error):
            raise
        refused = str(error).split(MARK, 1)[1].split(END, 1)[0]
        raise ValueError(refused) from None


def check_rank_one(spec: Any, what: str, whole: Any, or_column: bool = False) -> None:
    """Raises unless what a dataset yields is one value for each text.

    Args:
        spec: of the part.
        what: how messages call the part.
        whole: spec of the elements.
        or_column: whether `[batch, 1]` will do.

    Raises:
        ValueError: if it is something else.
    """
    rank = spec.shape.rank if isinstance(spec, tf.TensorSpec) else "another"
    what = what[0].upper() + what[1:]
    if rank == 0:
        raise ValueError(f"{what} are not batched. Call `dataset.batch(32)`.")
    if rank == 2 and spec.shape[1] == 1 and or_column:
        return
    if rank != 1:
        raise ValueError(
            f"{what} must be [batch]. Received a dataset of {described(whole)}. Where "
            "the shape is not known, state it in `output_signature`."
        )


def described(spec: Any) -> str:
    """Says what a dataset's elements are.

    Args:
        spec: their spec.
    """
    if isinstance(spec, tuple):
        return f"({', '.join(map(described, spec))})"
    if isinstance(spec, dict):
        return f"{{{', '.join(map(str, spec))}}}"
    if isinstance(spec, tf.TensorSpec):
        return f"{spec.dtype.name} {spec.shape}"
    return type(spec).__name__
