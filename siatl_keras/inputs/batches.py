"""`packed_batches`: datasets of raw texts to datasets of what a model trains on."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from siatl_keras.data.untuned import BATCHES_AHEAD, untuned
from siatl_keras.inputs.labelled_texts import labelled_texts
from siatl_keras.inputs.refusals import (
    END,
    MARK,
    check_rank_one,
    described,
    refused_unless,
)
from siatl_keras.inputs.soft_labels import looked_up
from siatl_keras.inputs.texts import FOR_PAIRS, as_text_tensor, as_texts

PACKED = {"token_ids", "padding_mask"}
# What `SiATLPreprocessor` may add.
ADDED = {"words"}


def packed_batches(
    data: Any,
    preprocessor: Any,
    task: Any,
    argument: str,
    labelled: bool,
    class_weight: Any = None,
) -> Any:
    """Preprocesses a dataset of raw texts; leaves a packed one as it is.

    Args:
        data: a batched `tf.data.Dataset`, or a `keras.utils.PyDataset`, of texts,
            `(texts, labels)` or `(texts, labels, weights)`, labels being what the task
            takes, texts being pairs `[batch, 2]` where the preprocessor takes pairs; or
            of packed batches, as `preprocessor` makes them.
        preprocessor: a `SiATLPreprocessor`.
        task: what is learned, a `siatl_keras.tasks.Task`.
        argument: name of the argument, for messages.
        labelled: whether there must be labels. Without, labels are left out.
        class_weight: float32 `[classes]`, by which the texts of a class are weighted,
            or `None`.

    Returns:
        a dataset of the same kind. What is wrong with single rows of a
        `tf.data.Dataset` is known only when they are read, see `errors_of_rows`.

    Raises:
        ValueError: if the dataset is not batched, or its elements are something else.
    """
    if isinstance(data, keras.utils.PyDataset):
        return _PackedPyDataset(
            data, preprocessor, task, argument, labelled, class_weight
        )
    spec = data.element_spec
    parts = spec if isinstance(spec, tuple) else (spec,)
    if labelled and len(parts) < 2:
        raise ValueError(
            f"`{argument}` must hold labels: batches of (texts, labels), or (texts, "
            f"labels, weights). Received a dataset of {described(spec)}."
        )
    if isinstance(parts[0], dict):
        return _packed_already(data, parts, argument, labelled, class_weight)
    if len(parts) > 3 or preprocessor is None:
        raise _unknown(argument, spec)
    _check_texts(parts[0], argument, spec, preprocessor.pairs)
    if labelled:
        encode = task.graph_encoder(parts[1], argument)
        if len(parts) == 3:
            check_rank_one(
                parts[2], f"the weights of `{argument}`", spec, or_column=True
            )

    def pack(texts: tf.Tensor, labels: Any = None, weights: Any = None) -> Any:
        if not labelled:
            return preprocessor(texts)
        targets = encode(labels)
        weights = _weights(None if weights is None else _flat(weights), argument)
        if class_weight is not None:
            table = looked_up(tf.constant(class_weight), targets)
            weights = table if weights is None else table * weights
        return preprocessor(texts, y=targets, sample_weight=weights)

    packed = data.map(pack, num_parallel_calls=tf.data.AUTOTUNE)
    return untuned(packed.prefetch(BATCHES_AHEAD))


class _PackedPyDataset(keras.utils.PyDataset):
    """Packs the batches of another; its tokenizer runs in threads of this process."""

    def __init__(self, data: keras.utils.PyDataset, *how: Any) -> None:
        # TensorFlow's graphs do not survive the fork of a worker process.
        super().__init__(workers=data.workers, max_queue_size=data.max_queue_size)
        self._data = data
        self._how = how

    @property
    def num_batches(self) -> int | None:
        return self._data.num_batches

    def __getitem__(self, index: int) -> Any:
        item = self._data[index]
        try:
            return self._packed(item, index)
        except ValueError as error:
            raise ValueError(f"{MARK}{error}{END}") from error

    def _packed(self, item: Any, index: int) -> Any:
        preprocessor, task, argument, labelled, class_weight = self._how
        parts = item if isinstance(item, (tuple, list)) else (item,)
        if isinstance(parts[0], dict):
            return item
        where = f"{argument}[{index}]"
        pairs = preprocessor.pairs
        if not labelled:
            # Alone it is a batch of texts; a tuple may hold labels too.
            alone = parts[0] if isinstance(item, tuple) else item
            texts = as_texts(alone, where, pairs=pairs)
            return (preprocessor(as_text_tensor(texts, pairs)),)
        if not isinstance(item, (tuple, list)) or not 2 <= len(parts) <= 3:
            raise ValueError(
                f"`{where}` must be (texts, labels) or (texts, labels, weights). "
                f"Received a {type(item).__name__} of {len(parts)}."
            )
        weights = parts[2] if len(parts) == 3 else None
        names = tuple(f"{where}[{part}]" for part in range(3))
        batch = labelled_texts(parts[0], parts[1], weights, task, names, pairs)  # type: ignore[arg-type]
        if class_weight is not None:
            batch = batch.weighted_by_class(class_weight)
        return preprocessor(
            as_text_tensor(batch.texts, pairs),
            y=tf.constant(batch.targets),
            sample_weight=None if batch.weights is None else tf.constant(batch.weights),
        )

    def on_epoch_begin(self) -> None:
        self._data.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._data.on_epoch_end()


def _packed_already(
    data: tf.data.Dataset,
    parts: tuple[Any, ...],
    argument: str,
    labelled: bool,
    class_weight: Any,
) -> tf.data.Dataset:
    is_packed = PACKED <= set(parts[0]) <= PACKED | ADDED and all(
        isinstance(part, dict) and set(part) == {"task", "lm"} for part in parts[1:]
    )
    if not is_packed or (labelled and len(parts) != 3):
        raise _unknown(argument, data.element_spec)
    if class_weight is None:
        return untuned(data)
    table = tf.constant(class_weight)

    def weighted(x: Any, y: Any, weights: Any) -> Any:
        task = looked_up(table, y["task"]) * weights["task"]
        return x, y, {**weights, "task": task}

    return untuned(data.map(weighted, num_parallel_calls=tf.data.AUTOTUNE))


def _check_texts(spec: Any, argument: str, whole: Any, pairs: bool) -> None:
    if pairs:
        is_text = isinstance(spec, tf.TensorSpec) and spec.dtype == tf.string
        if not is_text or spec.shape.rank != 2 or spec.shape[1] != 2:
            raise ValueError(
                f"The texts of `{argument}` must be pairs, string [batch, 2]. Received "
                f"a dataset of {described(whole)}. Of two columns, stack each row: "
                "tf.stack([first, second], -1); then batch. For single texts, make the "
                "model without `pairs=True`."
            )
        return
    if not isinstance(spec, tf.TensorSpec) or spec.dtype != tf.string:
        raise _unknown(argument, whole)
    if spec.shape.rank == 2 and spec.shape[1] == 2:
        raise ValueError(
            f"The texts of `{argument}` must be single ones, [batch]. Received a "
            f"dataset of {described(whole)}. {FOR_PAIRS}"
        )
    check_rank_one(spec, f"the texts of `{argument}`", whole)


def _flat(values: tf.Tensor) -> tf.Tensor:
    return tf.reshape(values, [-1])


def _weights(weights: Any, argument: str) -> Any:
    if weights is None:
        return None
    weights = tf.cast(weights, tf.float32)
    right = tf.reduce_all(tf.logical_and(tf.math.is_finite(weights), weights >= 0))
    message = (
        f"`{argument}` holds a weight that is negative or not finite. Weights must be "
        "finite numbers that are not negative."
    )
    return refused_unless(right, [message], weights)


def _unknown(argument: str, spec: Any) -> ValueError:
    return ValueError(
        f"`{argument}` must be a dataset of batches of texts, (texts, labels), (texts, "
        "labels, weights), or of what `model.preprocessor` makes of them. Received one "
        f"of {described(spec)}."
    )
