"""`read_arrays`: the arrays of an npz file that may be damaged.

numpy allocates what an array's header says before it reads, and zip archives raise
half a dozen kinds of exceptions.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np


def read_arrays(path: Path, *names: str) -> dict[str, np.ndarray]:
    """Reads named arrays of an npz file, or all.

    Args:
        path: the file.
        *names: of the arrays; all if none is given.

    Returns:
        the arrays by name.

    Raises:
        ValueError: that names the file: it is damaged, or an array is missing.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not names or entry.filename.removesuffix(".npy") in names:
                    _check(archive, entry)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names or file.files}
    # What a damaged archive makes its readers stumble over is not for us to foresee.
    except Exception as error:
        raise ValueError(
            f"{path}: not a whole backup ({type(error).__name__}: {str(error)[:200]}). "
            "Delete it to train from the start."
        ) from error


def _check(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename} is compressed, which no backup is")
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, _, dtype = read(file)
    if math.prod(shape) * dtype.itemsize > entry.file_size:
        raise ValueError(f"{entry.filename} has the shape {shape}, but not the numbers")
