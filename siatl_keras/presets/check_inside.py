"""`check_inside`: a preset's files lie in the preset.

A link in a foreign folder could make us read any file of this machine, and quote it.
"""

from __future__ import annotations

import os
from pathlib import Path


def check_inside(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> None:
    """Refuses a file that is a link, or lies behind one, to outside of its preset.

    Hugging Face's cache is known: `snapshots/<revision>/` there links to `blobs/`
    beside `snapshots`.

    Args:
        path: a file of the preset, there or not.
        folder: of the preset.

    Raises:
        ValueError: if it is one.
    """
    root = Path(os.path.abspath(folder))
    real = Path(os.path.realpath(path))
    allowed = [Path(os.path.realpath(root))]
    if root.parent.name == "snapshots":
        allowed.append(Path(os.path.realpath(root.parent.parent)) / "blobs")
    if not any(real.is_relative_to(place) for place in allowed):
        raise ValueError(
            f"{path}: a link to a file outside of its preset, {folder}. It is not "
            "read. If you trust it, put a copy of the file in the link's place."
        )
