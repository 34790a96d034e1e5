"""`packed_batches`: datasets of raw texts to datasets of what a model trains on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.inputs.class_labels import ClassLabels
from siatl_keras.inputs.labelled_texts import labelled_texts
from siatl_keras.inputs.texts import FOR_PAIRS, as_text_tensor, as_texts

PACKED = {"token_ids", "padding_mask"}
# By which an error that arises in a dataset's graph is found again.
MARK, END = "siatl_keras refuses: ", " (end of refusal)"


def packed_batches(
    data: Any,
    preprocessor: Any,
    classes: ClassLabels,
    argument: str,
    labelled: bool,
    class_weight: np.ndarray | None = None,
) -> Any:
    """Preprocesses a dataset of raw texts; leaves a packed one as it is.

    Args:
        data: a batched `tf.data.Dataset`, or a `keras.utils.PyDataset`, of texts,
            `(texts, labels)` or `(texts, labels, weights)`, labels being names or
            numbers, texts being pairs `[batch, 2]` where the preprocessor takes pairs;
            or of packed batches, as `preprocessor` makes them.
        preprocessor: a `SiATLPreprocessor`.
        classes: the classes.
        argument: name of the argument, for messages.
        labelled: whether there must be labels. Without, labels are left out.
        class_weight: float32 `[classes]`, by which the texts of a class are weighted.

    Returns:
        a dataset of the same kind. What is wrong with single rows of a
        `tf.data.Dataset` is known only when they are read, see `errors_of_rows`.

    Raises:
        ValueError: if the dataset is not batched, or its elements are something else.
    """
    if isinstance(data, keras.utils.PyDataset):
        return _PackedPyDataset(
            data, preprocessor, classes, argument, labelled, class_weight
        )
    spec = data.element_spec
    parts = spec if isinstance(spec, tuple) else (spec,)
    if labelled and len(parts) < 2:
        raise ValueError(
            f"`{argument}` must hold labels: batches of (texts, labels), or (texts, "
            f"labels, weights). Received a dataset of {_described(spec)}."
        )
    if isinstance(parts[0], dict):
        return _packed_already(data, parts, argument, labelled, class_weight)
    if len(parts) > 3 or preprocessor is None:
        raise _unknown(argument, spec)
    _check_texts(parts[0], argument, spec, preprocessor.pairs)
    if labelled:
        _check_labels(parts[1], classes, argument)
        if len(parts) == 3:
            _check_rank_one(parts[2], f"the weights of `{argument}`", spec)
    lookup = _lookup(classes) if labelled and parts[1].dtype == tf.string else None

    def pack(texts: tf.Tensor, labels: Any = None, weights: Any = None) -> Any:
        if not labelled:
            return preprocessor(texts)
        numbers = _numbers(_flat(labels), classes, lookup, argument)
        weights = _weights(None if weights is None else _flat(weights), argument)
        if class_weight is not None:
            table = tf.gather(tf.constant(class_weight), numbers)
            weights = table if weights is None else table * weights
        return preprocessor(texts, y=numbers, sample_weight=weights)

    return data.map(pack, num_parallel_calls=tf.data.AUTOTUNE).prefetch(
        tf.data.AUTOTUNE
    )


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
        preprocessor, classes, argument, labelled, class_weight = self._how
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
        batch = labelled_texts(parts[0], parts[1], weights, classes, names, pairs)  # type: ignore[arg-type]
        if class_weight is not None:
            batch = batch.weighted_by_class(class_weight)
        return preprocessor(
            as_text_tensor(batch.texts, pairs),
            y=tf.constant(batch.labels),
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
    class_weight: np.ndarray | None,
) -> tf.data.Dataset:
    is_packed = set(parts[0]) == PACKED and all(
        isinstance(part, dict) and set(part) == {"task", "lm"} for part in parts[1:]
    )
    if not is_packed or (labelled and len(parts) != 3):
        raise _unknown(argument, data.element_spec)
    if class_weight is None:
        return data
    table = tf.constant(class_weight)

    def weighted(x: Any, y: Any, weights: Any) -> Any:
        task = tf.gather(table, y["task"]) * weights["task"]
        return x, y, {**weights, "task": task}

    return data.map(weighted, num_parallel_calls=tf.data.AUTOTUNE)


def _check_texts(spec: Any, argument: str, whole: Any, pairs: bool) -> None:
    if pairs:
        is_text = isinstance(spec, tf.TensorSpec) and spec.dtype == tf.string
        if not is_text or spec.shape.rank != 2 or spec.shape[1] != 2:
            raise ValueError(
                f"The texts of `{argument}` must be pairs, string [batch, 2]. Received "
                f"a dataset of {_described(whole)}. Of two columns, stack each row: "
                "tf.stack([first, second], -1); then batch. For single texts, make the "
                "model without `pairs=True`."
            )
        return
    if not isinstance(spec, tf.TensorSpec) or spec.dtype != tf.string:
        raise _unknown(argument, whole)
    if spec.shape.rank == 2 and spec.shape[1] == 2:
        raise ValueError(
            f"The texts of `{argument}` must be single ones, [batch]. Received a "
            f"dataset of {_described(whole)}. {FOR_PAIRS}"
        )
    _check_rank_one(spec, f"the texts of `{argument}`", whole)


def _check_rank_one(spec: Any, what: str, whole: Any) -> None:
    rank = spec.shape.rank if isinstance(spec, tf.TensorSpec) else "another"
    if rank == 0:
        raise ValueError(
            f"{what[0].upper()}{what[1:]} are not batched. Call `dataset.batch(32)`."
        )
    if rank == 2 and spec.shape[1] == 1 and what.startswith("the weights"):
        return
    if rank != 1:
        raise ValueError(
            f"{what[0].upper()}{what[1:]} must be [batch]. Received a dataset of "
            f"{_described(whole)}. Where the shape is not known, state it in "
            "`output_signature`."
        )


def _check_labels(spec: Any, classes: ClassLabels, argument: str) -> None:
    what = f"the labels of `{argument}`"
    if isinstance(spec, tf.TensorSpec) and spec.shape.rank == 2:
        if spec.shape[1] != 1:
            raise ValueError(
                f"{what[0].upper()}{what[1:]} must be [batch]. Received {spec.shape}. "
                "Of one-hot labels, pass tf.argmax(labels, -1)."
            )
    else:
        _check_rank_one(spec, what, spec)
    known = spec.dtype == tf.string or spec.dtype.is_integer or spec.dtype.is_floating
    if not known and spec.dtype != tf.bool:
        raise ValueError(
            f"{what[0].upper()}{what[1:]} must be class names or numbers. Received "
            f"{spec.dtype.name}."
        )
    number = classes.ambiguous_number
    if spec.dtype != tf.string and number is not None:
        raise ValueError(
            f"{what[0].upper()}{what[1:]} are numbers, and the names of the classes "
            f"are numbers too, in another order: {number} can be read as class number "
            f"{number}, which is {classes.names[number]!r}, or as the name "
            f"'{number}'. Pass names: dataset.map(lambda text, label: (text, "
            "tf.strings.as_string(label)))."
        )


def _flat(values: tf.Tensor) -> tf.Tensor:
    return tf.reshape(values, [-1])


def _lookup(classes: ClassLabels) -> tf.lookup.StaticHashTable:
    return tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(classes.names), tf.range(len(classes))
        ),
        default_value=-1,
    )


def _numbers(
    labels: tf.Tensor,
    classes: ClassLabels,
    lookup: tf.lookup.StaticHashTable | None,
    argument: str,
) -> tf.Tensor:
    if lookup is not None:
        numbers = lookup.lookup(labels)
        wrong = numbers < 0
        shown = labels
    else:
        shown = tf.cast(labels, tf.float64)
        numbers = tf.cast(labels, tf.int32)
        inside = tf.logical_and(shown >= 0, shown < len(classes))
        wrong = tf.logical_not(
            tf.logical_and(inside, tf.cast(numbers, tf.float64) == shown)
        )
        shown = tf.strings.as_string(shown, shortest=True)
    message = tf.strings.join(
        [
            f"{MARK}`{argument}` holds the label ",
            tf.strings.substr(
                tf.strings.reduce_join(tf.boolean_mask(shown, wrong)[:1]), 0, 40
            ),
            f", which is none of the model's classes {classes.names[:8]}"
            f"{'' if lookup else f', whose numbers are 0 to {len(classes) - 1}'}.{END}",
        ]
    )
    with tf.control_dependencies([tf.Assert(~tf.reduce_any(wrong), [message])]):
        return tf.identity(numbers)


def _weights(weights: Any, argument: str) -> Any:
    if weights is None:
        return None
    weights = tf.cast(weights, tf.float32)
    right = tf.reduce_all(tf.logical_and(tf.math.is_finite(weights), weights >= 0))
    message = (
        f"{MARK}`{argument}` holds a weight that is negative or not finite. Weights "
        f"must be finite numbers that are not negative.{END}"
    )
    with tf.control_dependencies([tf.Assert(right, [message])]):
        return tf.identity(weights)


def _described(spec: Any) -> str:
    if isinstance(spec, tuple):
        return f"({', '.join(map(_described, spec))})"
    if isinstance(spec, dict):
        return f"{{{', '.join(map(str, spec))}}}"
    if isinstance(spec, tf.TensorSpec):
        return f"{spec.dtype.name} {spec.shape}"
    return type(spec).__name__


def _unknown(argument: str, spec: Any) -> ValueError:
    return ValueError(
        f"`{argument}` must be a dataset of batches of texts, (texts, labels), (texts, "
        "labels, weights), or of what `model.preprocessor` makes of them. Received one "
        f"of {_described(spec)}."
    )
