"""`classification_dataset`: batches of labelled texts held in memory."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from siatl_keras.data.batch_order import batch_order
from siatl_keras.data.epoch_counter import EpochCounter
from siatl_keras.data.text_coverage import TextCoverage, text_coverage

TEXTS_PER_TOKENIZING = 1024


def classification_dataset(
    texts: Sequence[str],
    labels: Any,
    preprocessor: Any,
    batch_size: int,
    sample_weight: Any = None,
    shuffle: bool = False,
    seed: int = 0,
    epoch: EpochCounter | None = None,
    on_coverage: Callable[[TextCoverage], None] | None = None,
) -> tf.data.Dataset:
    """Tokenizes texts once, and yields packed batches.

    Args:
        texts: the texts.
        labels: int, one a text; `None` yields inputs alone.
        preprocessor: an object with `tokenize(texts, limit)`, `sequence_length` and
            `pack(token_ids, labels, sample_weight)`, such as `SiATLPreprocessor`.
        batch_size: int, texts a batch.
        sample_weight: float, one a text; 1 if not given.
        shuffle: `True` gives each epoch its own order, in batches of similar length;
            `False` keeps the order of the texts.
        seed: int, of the shuffling.
        epoch: the `EpochCounter` that a callback (`SetEpoch`) sets; the order of an
            iteration goes by its value, so that epoch e has the same batches in a
            resumed run. Without one every iteration has the order of epoch 0.
        on_coverage: what takes the `TextCoverage` of the texts, once.

    Returns:
        `tf.data.Dataset` of what `preprocessor.pack` returns.

    Raises:
        ValueError: if there are no texts, or not as many labels or weights as texts.
    """
    texts = list(texts)
    if not texts:
        raise ValueError("`texts` is empty. Pass at least one text.")
    for name, values in (("labels", labels), ("sample_weight", sample_weight)):
        if values is not None and len(values) != len(texts):
            raise ValueError(
                f"`{name}` must have one value a text. Received: {len(values)} for "
                f"{len(texts)} texts."
            )
    token_ids = _tokenize(texts, preprocessor, on_coverage)
    numbers = None if labels is None else tf.constant(np.asarray(labels), tf.int32)
    if sample_weight is None:
        sample_weight = np.ones(len(texts))
    weights = tf.constant(np.asarray(sample_weight), tf.float32)

    def batch(index: tf.Tensor) -> Any:
        rows = tf.gather(token_ids, index)
        if numbers is None:
            return preprocessor.pack(rows)
        return preprocessor.pack(
            rows, tf.gather(numbers, index), tf.gather(weights, index)
        )

    if shuffle:
        counter = epoch or EpochCounter()
        lengths = token_ids.row_lengths()

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
    return dataset.prefetch(tf.data.AUTOTUNE)


def _tokenize(
    texts: list[str],
    preprocessor: Any,
    on_coverage: Callable[[TextCoverage], None] | None,
) -> tf.RaggedTensor:
    dataset = tf.data.Dataset.from_tensor_slices(texts).batch(TEXTS_PER_TOKENIZING)
    blocks = dataset.map(
        lambda block: preprocessor.tokenize(block, limit=None),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    parts, coverage = [], []
    for block in blocks:
        parts.append(block[:, : preprocessor.sequence_length])
        if on_coverage is not None:
            coverage.append(text_coverage(block, preprocessor))
    if on_coverage is not None:
        on_coverage(functools.reduce(operator.add, coverage))
    return tf.concat(parts, axis=0)
