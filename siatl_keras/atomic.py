"""Writing files and folders all or nothing: a temporary name first, then a rename."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def new_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a temporary path beside `path`, and renames it to `path` at the end.

    Args:
        path: the file to be made or replaced; its folder is made if need be.

    Yields:
        where to write. If the block raises, nothing is left and `path` is untouched.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The same ending: some writers choose the format by it.
    handle, name = tempfile.mkstemp(
        dir=target.parent, prefix=".partial-", suffix="".join(target.suffixes)
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Gives a temporary folder beside `path`, and renames it to `path` at the end.

    Args:
        path: the folder to be made.
        overwrite: whether a folder of that name is replaced.

    Yields:
        where to write. If the block raises, nothing is left and `path` is untouched.

    Raises:
        ValueError: if `path` exists and `overwrite` is false.
    """
    target = Path(path)
    if target.exists() and not overwrite:
        raise ValueError(
            f"{target} exists already. Choose another name, or pass `--overwrite` "
            "(`overwrite=True`) to replace it."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=".partial-"))
    try:
        yield temporary
        os.chmod(temporary, 0o755)
        if target.exists():
            old = Path(tempfile.mkdtemp(dir=target.parent, prefix=".replaced-"))
            os.rename(target, old / target.name)
            os.rename(temporary, target)
            shutil.rmtree(old)
        else:
            os.rename(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes a text file in UTF-8, all or nothing."""
    with new_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Writes a JSON file, all or nothing."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
