"""`lm_dataset`: batches for language-model training, streamed from files.

Source: sentence-level batches as in Chronopoulou et al. 2019, section 4; contiguous
windows as usual for long documents.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from siatl_keras.arguments import check_whole
from siatl_keras.data.length_order import length_order
from siatl_keras.data.readers import PathLike, as_paths, read_texts
from siatl_keras.data.until_exit import until_exit
from siatl_keras.data.untuned import untuned

# Texts are sorted by length inside windows of so many batches: few padding tokens,
# while the windows keep the order of training random.
BATCHES_PER_WINDOW = 64
# Texts held for shuffling.
SHUFFLE_BUFFER = 100_000
# Texts tokenized at once for windows over joined texts, where a text may be a book.
TEXTS_PER_BLOCK = 256


def lm_dataset(
    paths: PathLike | Iterable[PathLike],
    preprocessor: Any,
    batch_size: int,
    text_column: str | None = None,
    seed: int | None = None,
    stream: bool = False,
    repeat: bool = False,
    skip_steps: int = 0,
) -> tf.data.Dataset:
    """Reads texts and yields packed batches of similar length.

    Args:
        paths: files that `read_texts` reads; they may be larger than memory.
        preprocessor: an object with `tokenize(texts, limit)` and `pack(token_ids)`,
            such as `LSTMCausalLMPreprocessor`.
        batch_size: int, rows of a batch.
        text_column: name of the column with the text; `None` chooses it, see
            `choose_columns`.
        seed: int, shuffles texts and batches; `None` keeps the order of the texts.
        stream: `False` makes a row of each text, cut at the preprocessor's
            `sequence_length`. `True` joins all texts and cuts windows of
            `sequence_length` steps, so that nothing of a long text is lost and every
            token is predicted once; states are not carried from window to window.
        repeat: whether to go on with another pass in another order, forever.
        skip_steps: int, batches left out at the start, to resume where a run stopped.

    Returns:
        `tf.data.Dataset` of what `preprocessor.pack` returns. All batches have
        `batch_size` rows but the last of a pass. While it is iterated, an error in a
        file is a `tf.errors.InvalidArgumentError` that holds the message of the
        reader.

    Raises:
        ValueError: if there are no files, or the first text of one cannot be read, see
            `read_texts`.
    """
    check_whole(1, batch_size=batch_size)
    check_whole(0, skip_steps=skip_steps)
    paths = as_paths(paths)
    if not paths:
        raise ValueError("`paths` is empty. Pass at least one file of texts.")
    for path in paths:
        next(read_texts(path, text_column))
    texts_at_once = TEXTS_PER_BLOCK if stream else batch_size * BATCHES_PER_WINDOW

    def blocks_of_texts(number: int) -> Iterator[tuple[list[str], int]]:
        texts = read_texts(paths, text_column)
        if seed is not None:
            texts = _shuffled(texts, SHUFFLE_BUFFER, (seed, int(number)))
        for index in itertools.count():
            rows = list(itertools.islice(texts, texts_at_once))
            if not rows:
                break
            yield rows, index

    make = _windows if stream else _sentences

    def one_pass(number: tf.Tensor) -> tf.data.Dataset:
        blocks = tf.data.Dataset.from_generator(
            lambda number: until_exit(blocks_of_texts(number)),
            args=(number,),
            output_signature=(
                tf.TensorSpec([None], tf.string),
                tf.TensorSpec([], tf.int64),
            ),
        )
        return make(blocks, preprocessor, batch_size, seed, number)

    # A dataset a pass: windows and batches never mix texts of two passes.
    passes = tf.data.Dataset.counter() if repeat else tf.data.Dataset.range(1)
    dataset = passes.flat_map(one_pass)
    if skip_steps:
        dataset = dataset.skip(skip_steps)
    pack = dataset.map(preprocessor.pack, num_parallel_calls=tf.data.AUTOTUNE)
    return untuned(pack.prefetch(8))


def _shuffled(
    texts: Iterator[str], buffer_size: int, seed: tuple[int, int]
) -> Iterator[str]:
    """Yields texts in random order, as random as a buffer of `buffer_size` allows."""
    generator = np.random.default_rng(seed)
    while block := list(itertools.islice(texts, buffer_size)):
        for index in generator.permutation(len(block)):
            yield block[index]


def _sentences(
    dataset: tf.data.Dataset,
    preprocessor: Any,
    batch_size: int,
    seed: int | None,
    number: tf.Tensor,
) -> tf.data.Dataset:
    """One row per text: sorted by length in each window, batches shuffled."""

    def tokenize(texts: tf.Tensor, index: tf.Tensor) -> tuple[tf.RaggedTensor, Any]:
        return preprocessor.tokenize(texts), index

    def batches(token_ids: tf.RaggedTensor, index: tf.Tensor) -> tf.data.Dataset:
        rows = token_ids.nrows()
        starts = tf.range(0, rows, batch_size)
        if seed is not None:
            order, _ = length_order(token_ids.row_lengths())
            token_ids = tf.gather(token_ids, order)
            starts = tf.random.experimental.stateless_shuffle(
                starts, seed=tf.stack([seed + number, index])
            )
        return tf.data.Dataset.from_tensor_slices(starts).map(
            lambda start: token_ids[start : start + batch_size]
        )

    tokenized = dataset.map(tokenize, num_parallel_calls=tf.data.AUTOTUNE)
    return tokenized.flat_map(batches)


def _windows(
    dataset: tf.data.Dataset,
    preprocessor: Any,
    batch_size: int,
    seed: int | None,
    number: tf.Tensor,
) -> tf.data.Dataset:
    """Rows of `sequence_length` steps over all texts joined."""
    steps = preprocessor.sequence_length

    def flat(texts: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
        return preprocessor.tokenize(texts, limit=None).flat_values

    def with_last_of_previous(last: tf.Tensor, block: tf.Tensor) -> Any:
        # Windows share one token: it is the last target of one, the first input of
        # the next.
        return block[-1:], tf.concat([last, block], 0)

    blocks = dataset.map(flat, num_parallel_calls=tf.data.AUTOTUNE).rebatch(steps)
    start = tf.constant([preprocessor.tokenizer.end_token_id], tf.int32)
    windows = blocks.scan(start, with_last_of_previous)
    if seed is not None:
        # Keras looks at a batch before it trains: that must not change the order.
        windows = windows.shuffle(
            batch_size * BATCHES_PER_WINDOW,
            seed=seed + number,
            reshuffle_each_iteration=False,
        )
    return windows.ragged_batch(batch_size)
