"""Batches of texts to be answered: of a file, or of what arrives on a pipe."""

from __future__ import annotations

import collections
import itertools
import os
import select
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from siatl_keras.data.text_file import (
    LONGEST_LINE,
    check_first_bytes,
    check_line,
    decoded,
)

STANDARD_INPUT = "standard input"
BYTES_PER_READ = 2**16


def in_batches(texts: Iterable[Any], batch_size: int) -> Iterator[list[Any]]:
    """Yields texts in batches; those before an error come before it.

    Args:
        texts: any iterable of texts, or of pairs.
        batch_size: int, most texts of a batch.

    Raises:
        ValueError: what `texts` raises.
    """
    batch: list[Any] = []
    try:
        for text in texts:
            batch.append(text)
            if len(batch) == batch_size:
                yield batch
                batch = []
    except ValueError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def arriving_batches(
    descriptor: int, batch_size: int, on_bad_line: Callable[[str], None]
) -> Iterator[list[str]]:
    """Yields lines as they arrive, so that none waits for the next one's writer.

    Args:
        descriptor: of the input, such as 0: read here alone, not through a Python file,
            whose buffer would hide what has arrived.
        batch_size: int, most lines of a batch.
        on_bad_line: what takes a message about each line that is not UTF-8, whose bad
            bytes become U+FFFD.

    Yields:
        what has arrived, a line at least, without line ends; blank lines too.

    Raises:
        ValueError: if a line is too long, or the input is no text in UTF-8; after the
            lines before it.
    """
    lines = _Lines(descriptor)
    numbers = itertools.count(1)

    def arrived() -> Iterator[str]:
        while lines.whole:
            number, line = next(numbers), lines.whole.popleft()
            check_line(STANDARD_INPUT, number, line)
            text = decoded(STANDARD_INPUT, number, line, on_bad_line)
            yield text.rstrip("\r\n")

    while lines.whole or not lines.has_ended:
        while len(lines.whole) < batch_size and lines.may_read():
            lines.read()
        yield from in_batches(itertools.islice(arrived(), batch_size), batch_size)
        if lines.rest_is_too_long():
            check_line(STANDARD_INPUT, next(numbers), bytes(lines.rest))


def pairs_of_lines(batches: Iterable[Sequence[str]]) -> Iterator[list[tuple[str, str]]]:
    """Splits lines into pairs of texts, at their tab.

    Args:
        batches: lists of lines, such as `arriving_batches` makes.

    Yields:
        a list of pairs for each; a blank line is two empty texts.

    Raises:
        ValueError: if a line has not two fields; after the lines before it.
    """
    numbers = itertools.count(1)
    for batch in batches:
        pairs: list[tuple[str, str]] = []
        for line in batch:
            number = next(numbers)
            fields = line.split("\t") if line.strip() else ["", ""]
            if len(fields) != 2:
                if pairs:
                    yield pairs
                raise ValueError(
                    f"{STANDARD_INPUT}, line {number}: expected two texts with a tab "
                    f"between them, found {len(fields)}."
                )
            pairs.append((fields[0], fields[1]))
        yield pairs


class _Lines:
    """Bytes of an input, cut into lines."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.whole: collections.deque[bytes] = collections.deque()
        self.rest = bytearray()
        self.has_ended = False
        self.has_begun = False

    def may_read(self) -> bool:
        """Tells whether to read now: if need be wait, if lines are whole do not."""
        if self.has_ended or self.rest_is_too_long():
            return False
        return not self.whole or bool(select.select([self.descriptor], [], [], 0)[0])

    def rest_is_too_long(self) -> bool:
        return len(self.rest) > LONGEST_LINE

    def read(self) -> None:
        data = os.read(self.descriptor, BYTES_PER_READ)
        if not self.has_begun:
            check_first_bytes(STANDARD_INPUT, data)
            self.has_begun = True
        *ended, rest = data.split(b"\n")
        for line in ended:
            self.whole.append(bytes(self.rest) + line + b"\n")
            self.rest.clear()
        self.rest += rest
        if not data:
            self.has_ended = True
            if self.rest:
                self.whole.append(bytes(self.rest))
                self.rest.clear()
