"""`as_next_version`: numbered folders, of which servers take the highest."""

from __future__ import annotations

import contextlib
from pathlib import Path

from siatl_keras.atomic import rename_folder


def as_next_version(folder: Path, root: Path) -> Path:
    """Renames a finished folder to the next free version.

    Args:
        folder: a folder inside of `root`.
        root: folder of the versions, `<root>/1`, `<root>/2`, ….

    Returns:
        the new path.
    """
    while True:
        taken = [int(p.name) for p in root.glob("*") if p.name.isdecimal()]
        path = root / str(max(taken, default=0) + 1)
        # Another export may have come first.
        with contextlib.suppress(FileExistsError):
            rename_folder(folder, path)
            return path
