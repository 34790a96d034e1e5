"""`stored_weights`: what a weights file holds, without reading its numbers.

HDF5 may claim any shape and store nothing, or store it in another file.
"""

from __future__ import annotations

import math
from pathlib import Path

import h5py


def stored_weights(path: Path, source: str) -> dict[str, tuple[int, ...]]:
    """Lists the arrays of a weights file.

    Args:
        path: an HDF5 file.
        source: its name in errors.

    Returns:
        their shapes by name.

    Raises:
        ValueError: that names the file and the array: the file is damaged, or an array
            holds no numbers, fewer than it says, or links to another place.
    """
    shapes: dict[str, tuple[int, ...]] = {}

    def visit(name: str, node: h5py.Group | h5py.Dataset) -> None:
        if isinstance(node, h5py.Dataset):
            _check(node, f"{source}, `{name}`")
            shapes[name] = node.shape

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except FileNotFoundError:
        raise
    # What a damaged file makes HDF5 stumble over is not for us to foresee.
    except Exception as error:
        if isinstance(error, ValueError) and str(error).startswith(source):
            raise
        raise ValueError(
            f"{source}: not a whole weights file ({type(error).__name__}: "
            f"{str(error)[:200]}). Save or download it again."
        ) from error
    return shapes


def _check(array: h5py.Dataset, name: str) -> None:
    # bfloat16, which numpy does not know, is stored as two bytes without a meaning.
    if array.shape is None or array.dtype.kind not in "fiubV":
        raise ValueError(f"{name}: numbers expected. Found: {array.dtype}.")
    if array.is_virtual or array.external:
        raise ValueError(f"{name}: lies in another file, which is not read.")
    said = math.prod(array.shape) * array.dtype.itemsize
    if array.id.get_storage_size() < said:
        raise ValueError(
            f"{name}: says that it has the shape {array.shape}, which is {said} bytes, "
            f"and stores {array.id.get_storage_size()}."
        )
