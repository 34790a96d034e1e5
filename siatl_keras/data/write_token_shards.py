"""`write_token_shards`: texts to files of token ids, in bounded memory.

A shard gets its name when it is whole, the index when all shards are. What is done
stands in `backup/index.json`, where a run's folder has what a stopped run resumes from.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
import tqdm

from siatl_keras._version import __version__
from siatl_keras.arguments import check_whole
from siatl_keras.atomic import new_file
from siatl_keras.checksums import sha256_of
from siatl_keras.data.readers import PathLike
from siatl_keras.data.token_index import INDEX, Shard, TokenIndex, read_index
from siatl_keras.data.token_rows import TokenRows
from siatl_keras.data.until_exit import until_exit
from siatl_keras.data.untuned import untuned

# As many as `lm_dataset` shuffles at once: it reads whole shards then.
TEXTS_PER_SHARD = 100_000
# A record holds so many texts, fewer where they are long, as a book is.
TEXTS_PER_RECORD, CHARACTERS_PER_RECORD = 1024, 1_000_000


def write_token_shards(
    texts: Iterable[str],
    folder: PathLike,
    tokenizer: Any,
    texts_per_shard: int = TEXTS_PER_SHARD,
    overwrite: bool = False,
    progress: bool = True,
) -> TokenIndex:
    """Tokenizes texts and writes the ids, uncut and without start and end tokens.

    Stopped, it resumes at the shard that it was at when it is called again: the texts
    before are read, compared by a checksum, and not tokenized.

    Args:
        texts: the texts.
        folder: gets `tokens-00000.tfrecord`, …, and `index.json`; made if need be.
        tokenizer: a `WordTokenizer`.
        texts_per_shard: int, texts of a shard.
        overwrite: whether shards that are there are replaced.
        progress: whether to show a bar with texts per second.

    Returns:
        `TokenIndex`.

    Raises:
        ValueError: if there are shards and `overwrite` is false, what is there was
            begun with other texts or another tokenizer, there is no text, or one
            cannot be read.
    """
    check_whole(1, texts_per_shard=texts_per_shard)
    folder = Path(folder)
    new = TokenIndex(
        tokenizer=tokenizer.fingerprint(),
        dtype="uint16" if tokenizer.vocabulary_size() <= 1 << 16 else "int32",
        texts_per_shard=texts_per_shard,
        shards=(),
        package_version=__version__,
    )
    index = _begun(folder, new, overwrite)
    texts = iter(texts)
    with tqdm.tqdm(unit=" texts", desc="Tokens", disable=not progress) as bar:
        for shard in index.shards:
            _skip(texts, shard, folder)
            bar.update(shard.rows)
        records = _records(texts, tokenizer, texts_per_shard)
        for shard in _written(folder, len(index.shards), records, index.dtype, bar):
            index = dataclasses.replace(index, shards=(*index.shards, shard))
            index.write(_backup(folder))
    if not index.shards:
        raise ValueError("`texts` is empty. Pass at least one text.")
    index.write(folder / INDEX)
    shutil.rmtree(_backup(folder).parent)
    return index


def _backup(folder: Path) -> Path:
    return folder / "backup" / INDEX


def _begun(folder: Path, new: TokenIndex, overwrite: bool) -> TokenIndex:
    """Returns the index to go on with; files that it does not name are removed."""
    index = new
    if _backup(folder).exists():
        index = read_index(_backup(folder))
        if dataclasses.replace(index, shards=()) != new:
            if not overwrite:
                raise ValueError(
                    f"{folder} holds tokens that were begun with another vocabulary, "
                    "other settings or another version. Choose another folder, or pass "
                    "`--overwrite` to start from the beginning."
                )
            shutil.rmtree(_backup(folder).parent)
            index = new
        whole = itertools.takewhile(lambda each: _is_there(folder, each), index.shards)
        index = dataclasses.replace(index, shards=tuple(whole))
    elif (folder / INDEX).exists() and not overwrite:
        raise ValueError(
            f"{folder} holds tokens already. Choose another folder, or pass "
            "`--overwrite` to replace them."
        )
    # First of all: from now on the folder is not whole.
    (folder / INDEX).unlink(missing_ok=True)
    named = {shard.name for shard in index.shards}
    for path in folder.glob("tokens-*.tfrecord"):
        if path.name not in named:
            path.unlink()
    return index


def _is_there(folder: Path, shard: Shard) -> bool:
    path = folder / shard.name
    return path.is_file() and path.stat().st_size == shard.bytes


def _skip(texts: Iterator[str], shard: Shard, folder: Path) -> None:
    """Passes over the texts of a shard that is there."""
    digest = hashlib.sha256()
    for text in itertools.islice(texts, shard.rows):
        digest.update(_bytes(text))
    if digest.hexdigest() != shard.texts_sha256:
        raise ValueError(
            f"{folder / shard.name} was made of other texts than the corpus has now. "
            f"Restore the corpus, or remove {folder} to start from the beginning."
        )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass") + b"\n"


def _records(
    texts: Iterator[str], tokenizer: Any, texts_per_shard: int
) -> Iterator[tuple[TokenRows, str]]:
    """Yields records, with the texts' checksum where a shard ends, else with ""."""
    errors: list[ValueError] = []

    def batches() -> Iterator[tuple[list[str], str]]:
        try:
            yield from _batches(texts, texts_per_shard)
        except ValueError as error:  # tf.data would turn it into an error of its own
            errors.append(error)

    def tokenize(batch: tf.Tensor, end: tf.Tensor) -> tuple[tf.Tensor, ...]:
        ids = tokenizer.tokenize(batch)
        return ids.flat_values, ids.row_lengths(), end

    dataset = tf.data.Dataset.from_generator(
        lambda: until_exit(batches()),
        output_signature=(
            tf.TensorSpec([None], tf.string),
            tf.TensorSpec([], tf.string),
        ),
    )
    dataset = dataset.map(tokenize, num_parallel_calls=os.cpu_count()).prefetch(2)
    for values, lengths, end in untuned(dataset).as_numpy_iterator():
        yield TokenRows.of_lengths(values, lengths), end.decode()
    if errors:
        raise errors[0]


def _batches(
    texts: Iterator[str], texts_per_shard: int
) -> Iterator[tuple[list[str], str]]:
    """Yields the texts of records; none has texts of two shards."""
    digest, rows = hashlib.sha256(), 0
    batch: list[str] = []
    characters = 0
    text = next(texts, None)
    while text is not None:
        batch.append(text)
        digest.update(_bytes(text))
        characters, rows = characters + len(text), rows + 1
        is_end = rows == texts_per_shard
        # At the end of a shard not before it is handed on: the next may be an error.
        text = None if is_end else next(texts, None)
        if is_end or text is None:
            yield batch, digest.hexdigest()
            digest, rows = hashlib.sha256(), 0
        elif len(batch) == TEXTS_PER_RECORD or characters >= CHARACTERS_PER_RECORD:
            yield batch, ""
        else:
            continue
        batch, characters = [], 0
        text = next(texts, None) if is_end else text


def _written(
    folder: Path,
    number: int,
    records: Iterator[tuple[TokenRows, str]],
    dtype: str,
    bar: Any,
) -> Iterator[Shard]:
    """Writes shard after shard, from `number` on; yields what the index says of it."""
    for first in records:
        path = folder / f"tokens-{number:05}.tfrecord"
        texts = tokens = written = 0
        with new_file(path) as temporary:
            with tf.io.TFRecordWriter(str(temporary)) as writer:
                for rows, end in itertools.chain([first], records):
                    writer.write(rows.record(dtype))
                    texts, tokens = texts + len(rows), tokens + len(rows.values)
                    written += 1
                    bar.update(len(rows))
                    if end:
                        break
            # The index is written last, and there is no shard without its checksum.
            size, checksum = temporary.stat().st_size, sha256_of(temporary)
        yield Shard(path.name, texts, tokens, written, size, checksum, end)
        number += 1
