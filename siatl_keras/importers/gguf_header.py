"""`check_gguf_header`: a GGUF file's lengths are those of what it holds.

The package `gguf` believes them: an array that says it has 2**60 elements is walked
through, an object for each. Format: the GGUF specification of ggml, versions 2 and 3.
"""

from __future__ import annotations

import mmap
import os
import struct

# Bytes of each kind of scalar, by the number that the format has for it.
SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
STRING, ARRAY = 8, 9
# Tokens, their scores and kinds, and merges of the largest vocabularies: 1.3 million.
MOST_ELEMENTS = 3_000_000


def check_gguf_header(path: str | os.PathLike[str]) -> None:
    """Walks over a file's fields and its list of tensors.

    Args:
        path: the .gguf file.

    Raises:
        ValueError: that names the byte, and the field where there is one: it is no
            GGUF file, or says that it holds more than there is.
    """
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size < 24:
            raise ValueError("the file ends in its first 24 bytes")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _Walk(data).header()


class _Walk:
    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0
        self.elements = 0

    def header(self) -> None:
        if self.data[:4] != b"GGUF":
            raise ValueError("byte 0: it does not begin with GGUF")
        self.at = 4
        version = self.number("<I")
        if version not in (2, 3):
            raise ValueError(f"byte 4: version {version}, expected 2 or 3")
        tensors, fields = self.number("<Q"), self.number("<Q")
        for _ in range(self.possible(fields, 12, "fields")):
            self.field()
        for _ in range(self.possible(tensors, 24, "tensors")):
            self.skip_text()
            self.skip(8 * self.possible(self.number("<I"), 8, "axes of a tensor"))
            self.skip(12)

    def field(self) -> None:
        start = self.at
        self.skip_text()
        name = self.data[start + 8 : self.at].decode("utf-8", "replace")[:60]
        try:
            self.value(self.number("<I"))
        except ValueError as error:
            raise ValueError(f"field {name!r}, {error}") from error

    def value(self, kind: int) -> None:
        if kind in SCALARS:
            self.skip(SCALARS[kind])
        elif kind == STRING:
            self.skip_text()
        elif kind == ARRAY:
            self.array()
        else:
            raise ValueError(f"byte {self.at - 4}: a value of the unknown kind {kind}")

    def array(self) -> None:
        kind, length = self.number("<I"), self.number("<Q")
        if kind not in SCALARS and kind != STRING:
            raise ValueError(f"byte {self.at}: an array of the unknown kind {kind}")
        count = self.possible(length, SCALARS.get(kind, 8), "elements")
        self.elements += count
        if self.elements > MOST_ELEMENTS:
            raise ValueError(
                f"byte {self.at}: more than {MOST_ELEMENTS} elements in its arrays"
            )
        if kind in SCALARS:
            self.skip(count * SCALARS[kind])
        else:
            for _ in range(count):
                self.skip_text()

    def possible(self, count: int, size: int, what: str) -> int:
        left = len(self.data) - self.at
        if count * size > left:
            raise ValueError(
                f"byte {self.at}: {count} {what} are announced, with {left} bytes left"
            )
        return count

    def skip_text(self) -> None:
        self.skip(self.number("<Q"))

    def number(self, code: str) -> int:
        start = self.at
        self.skip(struct.calcsize(code))
        return struct.unpack(code, self.data[start : self.at])[0]

    def skip(self, count: int) -> None:
        self.possible(count, 1, "bytes")
        self.at += count
