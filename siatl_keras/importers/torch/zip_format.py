"""`read_zip`: the format that `torch.save` writes since PyTorch 1.6.

A zip archive of entries that are stored as they are: `<name>/data.pkl`, and a
`<name>/data/<key>` for each storage. Nothing is unpacked, and no name in it is ever
used as a path.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from siatl_keras.importers.torch.restricted_unpickler import RestrictedUnpickler
from siatl_keras.importers.torch.torch_objects import Storage, storage_of

_LOCAL_HEADER = struct.Struct("<4s5H3I2H")


class _Entry(NamedTuple):
    start: int  # index of its first byte in the file
    size: int  # in bytes
    checksum: int  # CRC-32


def read_zip(file: BinaryIO, data: Any, name: str) -> Any:
    """Reads a checkpoint of the zip format.

    Args:
        file: the file, opened for reading.
        data: the same file, mapped.
        name: of the file, for errors.

    Returns:
        the object that was saved; its tensors are views of `data`, whose checksums
        are compared when they are read.

    Raises:
        ValueError: that names the file, the entry, and what is wrong there.
    """
    entries = _entries(file, data, name)

    def checked(path: str) -> _Entry:
        entry = entries.get(path)
        if entry is None:
            raise ValueError(f"{name}: the archive lacks the entry {path!r}.")
        view = memoryview(data)[entry.start : entry.start + entry.size]
        if zlib.crc32(view) != entry.checksum:
            raise ValueError(f"{name}, entry {path!r}: damaged, its checksum differs.")
        return entry

    def read(storage: Storage) -> np.ndarray:
        entry = checked(f"data/{storage.key}")
        return np.frombuffer(data, storage.dtype, storage.size, entry.start)

    def persistent_load(saved_id: Any) -> Storage:
        storage = storage_of(saved_id, 5, read)
        entry = entries.get(f"data/{storage.key}")
        expected = storage.size * storage.dtype.itemsize
        if entry is None or entry.size != expected:
            found = "none" if entry is None else f"{entry.size} bytes"
            raise ValueError(
                f"storage {storage.key!r} needs an entry of {expected} bytes, "
                f"found {found}"
            )
        return storage

    if "byteorder" in entries:
        order = checked("byteorder")
        if data[order.start : order.start + order.size] != b"little":
            raise ValueError(f"{name}: written on a big-endian machine; not supported.")
    pickled = checked("data.pkl")
    return RestrictedUnpickler(
        data,
        f"{name}, entry 'data.pkl'",
        position=pickled.start,
        end=pickled.start + pickled.size,
        persistent_load=persistent_load,
    ).load()


def _entries(file: BinaryIO, data: Any, name: str) -> dict[str, _Entry]:
    """Maps the path of each entry, without the archive's own folder, to its place."""
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    # What its reader raises on damaged archives.
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        OSError,
        OverflowError,
        ValueError,
        struct.error,
    ) as error:
        raise ValueError(f"{name}: a damaged zip archive: {error}.") from error
    entries: dict[str, _Entry] = {}
    folders = set()
    for info in infos:
        folder, _, path = info.filename.partition("/")
        folders.add(folder)
        if not folder or not path or ".." in path.split("/") or "\\" in info.filename:
            raise ValueError(f"{name}: an entry with an odd name: {info.filename!r}.")
        if path in entries:
            raise ValueError(f"{name}: the entry {info.filename!r} stands twice.")
        entries[path] = _entry(info, data, name)
    if len(folders) != 1:
        raise ValueError(
            f"{name}: a zip archive, but no checkpoint: expected all entries in one "
            f"folder, found {len(folders)}."
        )
    return entries


def _entry(info: zipfile.ZipInfo, data: Any, name: str) -> _Entry:
    what = f"{name}, entry {info.filename!r}"
    # Stored means that size is size: no archive can grow when it is read.
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
        raise ValueError(f"{what}: compressed, which PyTorch's checkpoints are not.")
    start = info.header_offset
    stop = start + _LOCAL_HEADER.size
    if start < 0 or stop > len(data):
        raise ValueError(f"{what}: begins outside the file.")
    signature, *_, name_size, extra_size = _LOCAL_HEADER.unpack(data[start:stop])
    if signature != b"PK\x03\x04":
        raise ValueError(f"{what}: no entry begins at byte {start}.")
    first = stop + name_size + extra_size
    if first + info.file_size > len(data):
        raise ValueError(
            f"{what}: {info.file_size} bytes at byte {first}, past the "
            f"file's end at {len(data)}."
        )
    return _Entry(first, info.file_size, info.CRC)
