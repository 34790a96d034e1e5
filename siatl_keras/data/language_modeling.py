"""`lm_dataset`: batches for language-model training, streamed from files.

Source: sentence-level batches as in Chronopoulou et al. 2019, section 4; contiguous
windows as usual for long documents.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from siatl_keras.arguments import check_whole
from siatl_keras.data.length_order import length_order
from siatl_keras.data.readers import PathLike, as_paths, read_texts
from siatl_keras.data.token_batches import TokenBatches, shuffled_order
from siatl_keras.data.token_shards import TokenShards
from siatl_keras.data.until_exit import until_exit
from siatl_keras.data.untuned import untuned

# Texts are sorted by length, and windows over joined texts shuffled, in pieces of so
# many batches: few padding tokens, while the pieces keep the order of training random.
BATCHES_PER_PIECE = 64
# Texts held for shuffling.
SHUFFLE_BUFFER = 100_000
# Texts tokenized at once for windows over joined texts, where a text may be a book.
TEXTS_PER_BLOCK = 256


def lm_dataset(
    paths: PathLike | Iterable[PathLike] | TokenShards,
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
        paths: files that `read_texts` reads; they may be larger than memory. Or one
            folder that `recipes.tokenize_corpus` wrote of them: the same batches in
            the same order, without tokenizing, and `skip_steps` takes no time. Or
            `TokenShards` of it, such as those of one worker of several.
        preprocessor: an object with `tokenize(texts, limit)` and `pack(token_ids)`,
            such as `LSTMCausalLMPreprocessor`; for a folder, `with_markers(token_ids,
            limit)` and `tokenizer.fingerprint()` too.
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
        ValueError: if there are no files, the first text of one cannot be read, see
            `read_texts`, or a folder is not whole or of another tokenizer, see
            `TokenShards`.
    """
    check_whole(1, batch_size=batch_size)
    check_whole(0, skip_steps=skip_steps)
    batches = _Batches(preprocessor, batch_size, seed, stream)
    pieces = _pieces(paths, text_column, batches)
    first_pass, first_piece, skip = pieces.place(skip_steps)

    def one_pass(number: tf.Tensor) -> tf.data.Dataset:
        first = tf.where(number == first_pass, tf.cast(first_piece, tf.int64), 0)
        make = batches.of_windows if stream else batches.of_sentences
        return pieces.of_pass(number, first).flat_map(
            lambda tokens, piece: make(tokens, piece, number)
        )

    # A dataset a pass: windows and batches never mix texts of two passes.
    passes = tf.data.Dataset.counter(first_pass)
    if not repeat:
        passes = passes.take(max(0, 1 - first_pass))
    dataset = passes.flat_map(one_pass)
    if skip:
        dataset = dataset.skip(skip)
    pack = dataset.map(preprocessor.pack, num_parallel_calls=tf.data.AUTOTUNE)
    return untuned(pack.prefetch(8))


@dataclass(frozen=True)
class _Batches:
    """Makes batches of a piece of a pass, in an order of its own."""

    preprocessor: Any
    batch_size: int
    seed: int | None
    stream: bool

    @property
    def rows_of_a_piece(self) -> int:
        return self.batch_size * BATCHES_PER_PIECE

    @property
    def tokens_of_a_piece(self) -> int:
        return self.rows_of_a_piece * self.preprocessor.sequence_length

    def of_sentences(
        self, token_ids: tf.RaggedTensor, piece: tf.Tensor, number: tf.Tensor
    ) -> tf.data.Dataset:
        """One row per text: sorted by length, batches shuffled."""
        starts = tf.range(0, token_ids.nrows(), self.batch_size)
        if self.seed is not None:
            order, _ = length_order(token_ids.row_lengths())
            token_ids = tf.gather(token_ids, order)
            starts = self._shuffled(starts, piece, number)
        return self._sliced(token_ids, starts)

    def of_windows(
        self, tokens: tf.Tensor, piece: tf.Tensor, number: tf.Tensor
    ) -> tf.data.Dataset:
        """Rows of `sequence_length` steps over tokens in a row, shuffled.

        Windows share one token: it is the last target of one, the first input of the
        next.
        """
        steps = self.preprocessor.sequence_length
        targets = tf.size(tokens, tf.int64) - 1
        starts = tf.range(0, targets, steps)
        if self.seed is not None:
            starts = self._shuffled(starts, piece, number)
        places = tf.ragged.range(starts, tf.minimum(starts + steps, targets) + 1)
        rows = tf.range(0, tf.size(starts, tf.int64), self.batch_size)
        return self._sliced(tf.gather(tokens, places), rows)

    def _shuffled(
        self, values: tf.Tensor, piece: tf.Tensor, number: tf.Tensor
    ) -> tf.Tensor:
        seed = tf.stack([self.seed + number, piece])
        return tf.random.experimental.stateless_shuffle(values, seed=seed)

    def _sliced(self, rows: tf.RaggedTensor, starts: tf.Tensor) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices(starts).map(
            lambda start: rows[start : start + self.batch_size]
        )


@dataclass(frozen=True)
class _TextPieces:
    """Pieces of a pass over files of texts."""

    paths: list[PathLike]
    text_column: str | None
    batches: _Batches

    def place(self, steps: int) -> tuple[int, int, int]:
        """How many texts there are is not known: all steps are left out one by one."""
        return 0, 0, steps

    def of_pass(self, number: tf.Tensor, _: tf.Tensor) -> tf.data.Dataset:
        blocks = tf.data.Dataset.from_generator(
            lambda number: until_exit(self._blocks_of_texts(number)),
            args=(number,),
            output_signature=(
                tf.TensorSpec([None], tf.string),
                tf.TensorSpec([], tf.int64),
            ),
        )
        if self.batches.stream:
            return self._joined(blocks)
        return blocks.map(
            lambda texts, block: (self.batches.preprocessor.tokenize(texts), block),
            num_parallel_calls=tf.data.AUTOTUNE,
        )

    def _blocks_of_texts(self, number: int) -> Iterator[tuple[list[str], int]]:
        texts = self._texts(int(number))
        is_stream = self.batches.stream
        size = TEXTS_PER_BLOCK if is_stream else self.batches.rows_of_a_piece
        for block in itertools.count():
            rows = list(itertools.islice(texts, size))
            if not rows:
                break
            yield rows, block

    def _texts(self, number: int) -> Iterator[str]:
        """Yields texts in random order, as random as what is held allows."""
        texts = read_texts(self.paths, self.text_column)
        seed = self.batches.seed
        if seed is None:
            yield from texts
        for block in itertools.count():
            held = list(itertools.islice(texts, SHUFFLE_BUFFER))
            if not held:
                break
            for index in shuffled_order(seed, number, block, len(held)):
                yield held[index]

    def _joined(self, blocks: tf.data.Dataset) -> tf.data.Dataset:
        preprocessor = self.batches.preprocessor

        def flat(texts: tf.Tensor, _: tf.Tensor) -> tf.Tensor:
            return preprocessor.tokenize(texts, limit=None).flat_values

        def with_last_of_previous(last: tf.Tensor, tokens: tf.Tensor) -> Any:
            return tokens[-1:], tf.concat([last, tokens], 0)

        start = tf.constant([preprocessor.tokenizer.end_token_id], tf.int32)
        pieces = (
            blocks.map(flat, num_parallel_calls=tf.data.AUTOTUNE)
            .rebatch(self.batches.tokens_of_a_piece)
            .scan(start, with_last_of_previous)
        )
        return pieces.enumerate().map(lambda piece, tokens: (tokens, piece))


class _TokenPieces:
    """Pieces of a pass over a folder of token shards."""

    def __init__(self, shards: TokenShards, batches: _Batches) -> None:
        self.batches, self.shards = batches, shards
        self.tokens = TokenBatches(
            shards, batches.preprocessor, batches.seed, SHUFFLE_BUFFER
        )

    def place(self, steps: int) -> tuple[int, int, int]:
        """Finds a step: its pass, its piece there, and batches before it in that."""
        rows = self.shards.rows
        if self.batches.stream:
            length = self.batches.preprocessor.sequence_length
            rows = -(-self.tokens.tokens_of_a_pass // length)
        number, step = divmod(steps, max(1, -(-rows // self.batches.batch_size)))
        return number, *divmod(step, BATCHES_PER_PIECE)

    def of_pass(self, number: tf.Tensor, first: tf.Tensor) -> tf.data.Dataset:
        ids = tf.TensorSpec([None], tf.int32)
        piece = tf.TensorSpec([], tf.int64)
        if self.batches.stream:
            size = self.batches.tokens_of_a_piece
            return tf.data.Dataset.from_generator(
                lambda number, first: until_exit(
                    self.tokens.streams(int(number), int(first), size)
                ),
                args=(number, first),
                output_signature=(ids, piece),
            )
        size = self.batches.rows_of_a_piece
        rows = tf.data.Dataset.from_generator(
            lambda number, first: until_exit(
                self.tokens.sentences(int(number), int(first), size)
            ),
            args=(number, first),
            output_signature=(ids, tf.TensorSpec([None], tf.int64), piece),
        )

        def cut(values: tf.Tensor, splits: tf.Tensor, piece: tf.Tensor) -> Any:
            ids = tf.RaggedTensor.from_row_splits(values, splits, validate=False)
            return self.batches.preprocessor.with_markers(ids), piece

        return rows.map(cut, num_parallel_calls=tf.data.AUTOTUNE)


def _pieces(
    paths: PathLike | Iterable[PathLike] | TokenShards,
    text_column: str | None,
    batches: _Batches,
) -> _TextPieces | _TokenPieces:
    if isinstance(paths, TokenShards):
        return _TokenPieces(paths, batches)
    paths = as_paths(paths)
    if not paths:
        raise ValueError("`paths` is empty. Pass at least one file of texts.")
    if any(
        isinstance(path, str | os.PathLike) and os.path.isdir(path) for path in paths
    ):
        if len(paths) > 1:
            raise ValueError(
                "`paths` must be files of texts, or one folder of tokens. Received: "
                f"{len(paths)} paths, folders among them. Tokenize all files into one "
                "folder with `recipes.tokenize_corpus`."
            )
        shards = TokenShards(paths[0], batches.preprocessor.tokenizer)
        return _TokenPieces(shards, batches)
    for path in paths:
        next(read_texts(path, text_column))
    return _TextPieces(paths, text_column, batches)
