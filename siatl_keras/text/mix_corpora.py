"""`mix_corpora`: texts of several kinds in one shuffled file, long ones in pieces.

A language model reads so many words at once; what lies behind them of a long text would
be lost, and texts that come in the order of their files are forgotten in that order.
"""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from siatl_keras.arguments import check_whole
from siatl_keras.atomic import new_file
from siatl_keras.data.readers import PathLike, read_texts

ENDS = re.compile(r"(?<=[.!?])\s+")


def mix_corpora(
    paths: Iterable[PathLike],
    output: PathLike,
    most_words: int = 56,
    seed: int = 42,
    text_column: str | None = None,
    encoding: str = "utf-8",
) -> int:
    """Writes the texts of files, in pieces and shuffled, to one file.

    Args:
        paths: text files, see `siatl_keras.data.read_texts`. All of them are held in
            memory.
        output: the file, .txt or .txt.gz; made or replaced, all or nothing.
        most_words: int, words of a piece.
        seed: int, of the shuffling.
        text_column: as for `siatl_keras.data.read_texts`.
        encoding: as for `siatl_keras.data.read_texts`.

    Returns:
        int, number of pieces.

    Raises:
        ValueError: if a file cannot be read, or `most_words` is not 1 or more.
    """
    check_whole(1, most_words=most_words)
    pieces = [
        piece
        for text in read_texts(paths, text_column, encoding=encoding)
        for piece in text_pieces(text, most_words)
    ]
    random.Random(seed).shuffle(pieces)
    with new_file(output) as temporary:
        lines = "".join(f"{piece}\n" for piece in pieces).encode()
        is_gz = Path(output).suffix == ".gz"
        # Without the time, so that the same texts make the same file.
        temporary.write_bytes(gzip.compress(lines, mtime=0) if is_gz else lines)
    return len(pieces)


def text_pieces(text: str, most_words: int) -> Iterator[str]:
    """Yields pieces of whole sentences, as many as go into so many words.

    Args:
        text: the text.
        most_words: int; a sentence of more is cut.
    """
    piece: list[str] = []
    for sentence in ENDS.split(text):
        words = sentence.split()
        if len(piece) + len(words) > most_words and piece:
            yield " ".join(piece)
            piece = []
        while len(words) > most_words:
            yield " ".join(words[:most_words])
            words = words[most_words:]
        piece += words
    if piece:
        yield " ".join(piece)
