"""`plain_texts`: the texts of a language model, which makes its own targets of them."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from siatl_keras.inputs.texts import as_texts


def plain_texts(x: Any, argument: str, **others: Any) -> Any:
    """Checks what is passed to a language model to train or evaluate on.

    Args:
        x: texts, see `as_texts`; or a batched `tf.data.Dataset` of texts or of packed
            batches, or a `keras.utils.PyDataset`, which are returned as they are.
        argument: name of the argument, for messages.
        **others: arguments that a language model has no use for, by name; `None` where
            they are not given.

    Returns:
        string `[texts]`, or the dataset.

    Raises:
        ValueError: if `x` is something else or empty, or one of the others is given.
    """
    for name, value in others.items():
        if value is not None:
            raise ValueError(
                f"`{name}` has no effect on a language model: its targets are the "
                f"texts' own tokens, and all count the same. Remove `{name}`."
            )
    if isinstance(x, tf.data.Dataset):
        spec = x.element_spec
        if isinstance(spec, tf.TensorSpec) and spec.shape.rank == 0:
            raise ValueError(
                f"The texts of `{argument}` are not batched. Call `dataset.batch(32)`."
            )
        return x
    if isinstance(x, keras.utils.PyDataset):
        return x
    if x is None:
        raise ValueError(f"`{argument}` is missing. Pass a list of texts.")
    texts = as_texts(x, argument)
    if not texts:
        raise ValueError(f"`{argument}` is empty. Pass at least one text.")
    return tf.constant(texts, tf.string)
