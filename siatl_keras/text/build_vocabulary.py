"""`build_vocabulary`: the most frequent words of any number of files.

Source: the 70 000-word vocabulary of Chronopoulou et al. 2019, section 4.
"""

from __future__ import annotations

import itertools
import os
import resource
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import tensorflow as tf
import tqdm

from siatl_keras.arguments import check_whole
from siatl_keras.atomic import write_text
from siatl_keras.data.readers import PathLike, read_texts
from siatl_keras.data.untuned import untuned
from siatl_keras.text.text_normalizer import TextNormalizer
from siatl_keras.text.word_tokenizer import SPECIAL_TOKENS

# Distinct words held while counting: about 200 MB. Those of tweets grow as the 0.62th
# power of their words (76 000 in 2 million, 299 000 in 18.5 million), and would pass it
# after some 400 million; then the rarest are forgotten.
WORDS_HELD = 2_000_000
TEXTS_PER_BATCH = 2048


@dataclass(frozen=True)
class VocabularyReport:
    """A vocabulary and what building it showed.

    Attributes:
        words: the words, special tokens first, then by falling count, then by string.
        counts: how often each occurred; 0 for special tokens.
        tokens: words in the corpus, with repetition.
        out_of_vocabulary_rate: share of `tokens` outside the vocabulary.
        texts: texts read.
        seconds: time taken.
        peak_memory_mb: highest memory of the process so far, in MB.
    """

    words: list[str]
    counts: list[int]
    tokens: int
    out_of_vocabulary_rate: float
    texts: int
    seconds: float
    peak_memory_mb: float

    @property
    def texts_per_second(self) -> float:
        """Texts read a second."""
        return self.texts / self.seconds

    def save(self, path: PathLike) -> None:
        """Writes the words to a file, one per line, all or nothing."""
        write_text(path, "".join(f"{word}\n" for word in self.words))


def build_vocabulary(
    paths: PathLike | Iterable[PathLike],
    size: int,
    min_count: int = 1,
    normalizer: TextNormalizer | None = None,
    text_column: str | None = None,
    encoding: str = "utf-8",
    progress: bool = True,
    words_held: int = WORDS_HELD,
) -> VocabularyReport:
    """Counts the words of files, streaming, and keeps the most frequent.

    Args:
        paths: files that `siatl_keras.data.read_texts` reads.
        size: int, most words kept, special tokens included.
        min_count: int, words that occur less often are left out.
        normalizer: the `TextNormalizer` of the tokenizer that will use the words.
        text_column: as for `siatl_keras.data.read_texts`.
        encoding: as for `siatl_keras.data.read_texts`.
        progress: whether to show a bar with texts per second.
        words_held: int, most distinct words kept from one batch of texts to the next;
            bounds the memory. Where more turn up, the rarer ones are forgotten, and
            the out-of-vocabulary rate is an upper bound.

    Returns:
        `VocabularyReport`, the same for the same files, whatever the machine.

    Raises:
        ValueError: if `size` leaves no room for words, `words_held` is less than twice
            `size`, or a file cannot be read.
    """
    check_whole(0, size=size, min_count=min_count, words_held=words_held)
    if normalizer is not None and not isinstance(normalizer, TextNormalizer):
        raise ValueError(
            "`normalizer` must be a `TextNormalizer`, or None. Received: "
            f"normalizer={normalizer!r}."
        )
    if size <= len(SPECIAL_TOKENS):
        raise ValueError(
            f"`size` must be more than the {len(SPECIAL_TOKENS)} special tokens. "
            f"Received: size={size}."
        )
    if words_held < 2 * size:
        raise ValueError(
            "`words_held` must be at least twice `size`, since half of the words are "
            f"forgotten when it is passed. Received: words_held={words_held}, "
            f"size={size}."
        )
    normalizer = normalizer or TextNormalizer()
    started = time.perf_counter()
    counter: Counter[bytes] = Counter()
    tokens = texts = 0
    bar = tqdm.tqdm(unit=" lines", desc="Vocabulary", disable=not progress)
    with bar:
        read = read_texts(paths, text_column, encoding=encoding)
        for count, words in _words(read, normalizer):
            texts += count
            tokens += len(words)
            counter.update(words)
            if len(counter) > words_held:
                counter = Counter(dict(_most_common(counter, words_held // 2)))
            bar.update(count)
    kept = [
        (word.decode("utf-8"), count)
        for word, count in _most_common(counter, size - len(SPECIAL_TOKENS))
        if count >= min_count
    ]
    in_vocabulary = sum(count for _, count in kept)
    return VocabularyReport(
        words=[*SPECIAL_TOKENS, *(word for word, _ in kept)],
        counts=[0] * len(SPECIAL_TOKENS) + [count for _, count in kept],
        tokens=tokens,
        out_of_vocabulary_rate=1.0 - in_vocabulary / tokens if tokens else 0.0,
        texts=texts,
        seconds=time.perf_counter() - started,
        peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _most_common(counter: Counter, number: int) -> list[tuple[bytes, int]]:
    ordered = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return ordered[:number]


def _words(
    texts: Iterator[str], normalizer: TextNormalizer
) -> Iterator[tuple[int, list[bytes]]]:
    """Yields the number of texts of a batch, and all its words."""
    errors: list[ValueError] = []

    def batches() -> Iterator[list[str]]:
        try:
            while batch := list(itertools.islice(texts, TEXTS_PER_BATCH)):
                yield batch
        except ValueError as error:  # tf.data would turn it into an error of its own
            errors.append(error)

    def split(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.size(batch), normalizer.split(batch).flat_values

    dataset = tf.data.Dataset.from_generator(
        batches, output_signature=tf.TensorSpec([None], tf.string)
    )
    dataset = dataset.map(split, num_parallel_calls=os.cpu_count()).prefetch(2)
    for count, words in untuned(dataset).as_numpy_iterator():
        yield int(count), words.tolist()
    if errors:
        raise errors[0]
