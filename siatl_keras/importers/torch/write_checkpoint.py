"""`write_zip`: a checkpoint in PyTorch's zip format, without PyTorch.

The pickle is written instruction by instruction, so that it can name PyTorch's and the
authors' classes without either being installed.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from siatl_keras.importers.torch.torch_objects import Vocab

# PyTorch aligns the numbers of each storage to it, so that it can map them.
ALIGNMENT = 64


def write_zip(value: Any, path: Path) -> None:
    """Writes a value as `torch.save` does since PyTorch 1.6.

    Args:
        value: made of dict, list, tuple, str, int, float, bool, `None`, `Vocab`, and
            float32 arrays, which become tensors. An array that occurs twice is one
            storage.
        path: the file, overwritten if it exists.

    Raises:
        ValueError: if there is anything else in it.
    """
    pickled = _Pickler()
    body = b"\x80\x02" + pickled.dump(value) + b"."
    entries: dict[str, Any] = {
        "data.pkl": body,
        "byteorder": b"little",
        **{f"data/{key}": array for key, array in enumerate(pickled.storages)},
        "version": b"3\n",
    }
    with open(path, "wb") as file, zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(f"archive/{name}")
            info.extra = _padding(file.tell(), info)
            with archive.open(info, "w") as entry:
                entry.write(memoryview(content).cast("B"))


def _padding(position: int, info: zipfile.ZipInfo) -> bytes:
    """Returns an extra field after which the entry's content is aligned."""
    header = 30 + len(info.filename)  # of the entry, and 4 bytes of this field
    size = -(position + header + 4) % ALIGNMENT
    return struct.pack("<2sH", b"FB", size) + bytes(size)


class _Pickler:
    """Turns a value into instructions of protocol 2, and collects its storages."""

    def __init__(self) -> None:
        self.storages: list[np.ndarray] = []
        self._arrays: list[np.ndarray] = []  # as given, to know them again
        self._kinds: dict[type, Callable[[Any], bytes]] = {
            type(None): lambda _: b"N",
            bool: lambda value: b"\x88" if value else b"\x89",
            int: lambda value: b"J" + struct.pack("<i", value),
            float: lambda value: b"G" + struct.pack(">d", value),
            str: _text,
            dict: self._dict,
            list: lambda value: b"](" + self._all(value) + b"e",
            tuple: lambda value: b"(" + self._all(value) + b"t",
            np.ndarray: self._tensor,
            Vocab: self._vocab,
        }

    def dump(self, value: Any) -> bytes:
        kind = self._kinds.get(type(value))
        if kind is None:
            raise ValueError(f"Cannot write a {type(value).__name__}: {value!r}.")
        return kind(value)

    def _all(self, values: Any) -> bytes:
        return b"".join(self.dump(value) for value in values)

    def _dict(self, value: dict[Any, Any]) -> bytes:
        pairs = (part for pair in value.items() for part in pair)
        return b"}(" + self._all(pairs) + b"u"

    def _vocab(self, value: Vocab) -> bytes:
        counter = _text("vocab") + _name("collections", "Counter") + b")R"
        attributes = b"}(" + counter
        for name, attribute in value.attributes.items():
            attributes += _text(name) + self.dump(attribute)
        return _name("utils.datasets", "Vocab") + b")\x81" + attributes + b"ub"

    def _tensor(self, array: np.ndarray) -> bytes:
        if array.dtype != np.float32:
            raise ValueError(f"Cannot write a tensor of {array.dtype}, only float32.")
        key = self._storage(array)
        size = self.dump(int(array.size))
        storage = (
            b"("
            + _text("storage")
            + _name("torch", "FloatStorage")
            + _text(str(key))
            + _text("cpu")
            + size
            + b"tQ"
        )
        strides = tuple(
            int(np.prod(array.shape[axis + 1 :])) for axis in range(array.ndim)
        )
        hooks = _name("collections", "OrderedDict") + b")R"
        arguments = (
            storage
            + self._all([0, tuple(map(int, array.shape)), strides, False])
            + hooks
        )
        return _name("torch._utils", "_rebuild_tensor_v2") + b"(" + arguments + b"tR"

    def _storage(self, array: np.ndarray) -> int:
        for key, seen in enumerate(self._arrays):
            if seen is array:
                return key
        self._arrays.append(array)
        self.storages.append(np.ascontiguousarray(array))
        return len(self._arrays) - 1


def _text(value: str) -> bytes:
    encoded = value.encode("utf-8")
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def _name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode("ascii")
