"""`classification_dataset`: batches of labelled texts held in memory."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from siatl_keras.arguments import check_whole
from siatl_keras.data.batch_order import batch_order
from siatl_keras.data.epoch_counter import EpochCounter
from siatl_keras.data.text_coverage import TextCoverage, text_coverage
from siatl_keras.data.untuned import BATCHES_AHEAD, untuned

TEXTS_PER_TOKENIZING = 1024


def classification_dataset(
    texts: Any,
    targets: Any,
    preprocessor: Any,
    batch_size: int,
    sample_weight: Any = None,
    seed: int | None = None,
    epoch: EpochCounter | None = None,
    on_coverage: Callable[[TextCoverage], None] | None = None,
    first_row: int | None = None,
) -> tf.data.Dataset:
    """Tokenizes texts once, and yields packed batches.

    Args:
        texts: list of str, or of pairs of str, or a string tensor.
        targets: numbers `[texts, …]`, what the task learns, such as class numbers;
            `None` yields inputs alone.
        preprocessor: an object with `tokenize_and_cut(texts)`, `most_read` and
            `pack(token_ids, targets, sample_weight)`, such as `SiATLPreprocessor`.
        batch_size: int, texts per batch.
        sample_weight: float, one per text; 1 if not given.
        seed: int, gives each epoch an order of its own, in batches of similar length;
            `None` keeps the order of the texts.
        epoch: the `EpochCounter` that a callback (`SetEpoch`) sets; the order of an
            iteration goes by its value, so that epoch e has the same batches in a
            resumed run. Without one every iteration has the order of epoch 0.
        on_coverage: what takes the `TextCoverage` of the texts, once.
        first_row: int, number of the first text; the inputs then have `row`, int64
            `[batch]`, the number of each.

    Returns:
        `tf.data.Dataset` of what `preprocessor.pack` returns.

    Raises:
        ValueError: if there are no texts, or not as many targets or weights as texts,
            or one of them is nothing of the kind.
    """
    check_whole(1, batch_size=batch_size)
    if seed is not None:
        check_whole(0, seed=seed)
    if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
        raise ValueError(
            f"`texts` must be a list of texts. Received: {type(texts).__name__}."
        )
    texts = list(np.asarray(texts) if tf.is_tensor(texts) else texts)
    for row, text in enumerate(texts):
        sides = text if isinstance(text, (tuple, list, np.ndarray)) else [text]
        if not all(isinstance(side, (str, bytes)) for side in sides):
            raise ValueError(
                f"`texts` must hold strings. Received in row {row}: {text!r:.40}."
            )
    if not texts:
        raise ValueError("`texts` is empty. Pass at least one text.")
    for name, values in (("targets", targets), ("sample_weight", sample_weight)):
        if values is not None and len(values) != len(texts):
            raise ValueError(
                f"`{name}` must have one value per text. Received: {len(values)} for "
                f"{len(texts)} texts."
            )
    known = None if targets is None else _targets(targets)
    weights = _weights(sample_weight, len(texts))
    token_ids = _tokenize(texts, preprocessor, on_coverage)

    def batch(index: tf.Tensor) -> Any:
        rows = tf.gather(token_ids, index)
        if known is None:
            return preprocessor.pack(rows)
        x, *rest = preprocessor.pack(
            rows, tf.gather(known, index), tf.gather(weights, index)
        )
        if first_row is not None:
            x = {**x, "row": index + first_row}
        return x, *rest

    if seed is not None:
        counter = epoch or EpochCounter()
        lengths = tf.minimum(token_ids.row_lengths(), preprocessor.most_read)

        def order(_: tf.Tensor) -> tf.data.Dataset:
            batches = batch_order(lengths, batch_size, seed, counter.value)
            return tf.data.Dataset.from_tensor_slices(batches)

        count = -(-len(texts) // batch_size)
        # Inside flat_map the counter is read when an iteration begins.
        indices = tf.data.Dataset.from_tensors(0).flat_map(order)
        indices = indices.apply(tf.data.experimental.assert_cardinality(count))
    else:
        indices = tf.data.Dataset.range(len(texts)).batch(batch_size)
    dataset = indices.map(batch, num_parallel_calls=tf.data.AUTOTUNE)
    return untuned(dataset.prefetch(BATCHES_AHEAD))


def _targets(targets: Any) -> tf.Tensor:
    numbers = np.asarray(targets)
    if numbers.dtype.kind not in "iuf" or not np.isfinite(numbers).all():
        raise ValueError(
            "`targets` must be finite numbers, as a task's `encode` makes them of "
            f"labels. Received: {numbers.dtype} of shape {numbers.shape}."
        )
    whole = numbers.dtype.kind in "iu"
    return tf.constant(numbers, tf.int32 if whole else tf.float32)


def _weights(sample_weight: Any, count: int) -> tf.Tensor:
    weights = np.ones(count) if sample_weight is None else np.asarray(sample_weight)
    if weights.dtype.kind not in "iufb" or weights.ndim != 1:
        raise ValueError(
            "`sample_weight` must be numbers, one for each text. Received: "
            f"{weights.dtype} of shape {weights.shape}."
        )
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        raise ValueError(
            "`sample_weight` must hold finite numbers, none below 0. Received in row "
            f"{wrong[0]}: {weights[wrong[0]]}."
        )
    return tf.constant(weights, tf.float32)


def _tokenize(
    texts: list[Any],
    preprocessor: Any,
    on_coverage: Callable[[TextCoverage], None] | None,
) -> tf.RaggedTensor:
    dataset = tf.data.Dataset.from_tensor_slices(tf.constant(texts, tf.string))
    blocks = dataset.batch(TEXTS_PER_TOKENIZING).map(
        preprocessor.tokenize_and_cut, num_parallel_calls=tf.data.AUTOTUNE
    )
    parts, coverage = [], []
    for token_ids, is_cut in untuned(blocks):
        parts.append(token_ids)
        if on_coverage is not None:
            coverage.append(text_coverage(token_ids, is_cut, preprocessor))
    if on_coverage is not None:
        on_coverage(functools.reduce(operator.add, coverage))
    return tf.concat(parts, axis=0)
