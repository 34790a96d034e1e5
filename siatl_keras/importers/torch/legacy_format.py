"""`read_legacy`: the format that `torch.save` wrote before PyTorch 1.6.

Four pickles (a magic number, the version, facts about the machine, the object), a
fifth with the keys of the storages, then for each an 8-byte count and its numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from siatl_keras.importers.torch.restricted_unpickler import RestrictedUnpickler
from siatl_keras.importers.torch.torch_objects import Storage, shown, storage_of

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
VERSION = 1001


def read_legacy(data: Any, name: str) -> Any:
    """Reads a checkpoint of the old format.

    Args:
        data: the mapped file.
        name: of the file, for errors.

    Returns:
        the object that was saved; its tensors are views of `data`.

    Raises:
        ValueError: that names the file, the place, and what is wrong there.
    """
    storages: dict[str, Storage] = {}
    places: dict[str, int] = {}

    def read(storage: Storage) -> np.ndarray:
        return np.frombuffer(data, storage.dtype, storage.size, places[storage.key])

    def persistent_load(saved_id: Any) -> Storage:
        storage = storage_of(saved_id, 6, read)
        first = storages.setdefault(storage.key, storage)
        if (first.size, first.dtype) != (storage.size, storage.dtype):
            raise ValueError(f"storage {storage.key!r} with two sizes or classes")
        return first

    pickles = RestrictedUnpickler(data, name, persistent_load=persistent_load)
    if pickles.load() != MAGIC_NUMBER:
        raise ValueError(f"{name}, byte 0: not PyTorch's magic number.")
    if (version := pickles.load()) != VERSION:
        raise ValueError(
            f"{name}: format version {shown(version)}, expected {VERSION}."
        )
    machine = pickles.load()
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise ValueError(f"{name}: written on a big-endian machine; not supported.")
    value = pickles.load()
    keys_at = pickles.position
    keys = pickles.load()
    if not isinstance(keys, list) or (
        sorted(key for key in keys if isinstance(key, str)) != sorted(storages)
        or len(keys) != len(storages)
    ):
        raise ValueError(
            f"{name}, byte {keys_at}: the list of storages is not that of the tensors."
        )
    for key in keys:
        at, storage = pickles.position, storages[key]
        try:
            size = int.from_bytes(pickles.take(8), "little", signed=True)
            if size != storage.size:
                raise ValueError(f"{size} numbers, where {storage.size} are announced")
            places[key] = pickles.position
            pickles.skip(size * storage.dtype.itemsize)
        except ValueError as error:
            raise ValueError(f"{name}, byte {at}, storage {key}: {error}.") from error
    return value
