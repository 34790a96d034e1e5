"""Writing files and folders all or nothing: a temporary name first, then a rename.

What is written is on the disk before it gets its name, so that not even a machine that
loses its power leaves half of it. A process that is killed leaves its temporary file or
folder; whoever writes next to it sweeps it away.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from siatl_keras.locks import Lock

# `.replaced-` holds a folder that is being replaced, for as long as the swap takes.
_LEFT_OVER = re.compile(r"\.(partial|replaced)-[0-9a-f]{12}(\..*)?")


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
    sweep(target.parent)
    # The same ending: some writers choose the format by it.
    temporary, lock = _locked(target.parent, "partial", "".join(target.suffixes))
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, target)
        _flush(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
        lock.release()


@contextlib.contextmanager
def new_folder(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Gives a temporary folder beside `path`, and renames it to `path` at the end.

    Args:
        path: the folder to be made.
        overwrite: whether a folder of that name is replaced.

    Yields:
        where to write. If the block raises, nothing is left and `path` is untouched.

    Raises:
        ValueError: if `overwrite` is false and `path` exists, or has come to exist by
            the end of the block.
    """
    target = Path(path)
    sweep(target.parent)
    if os.path.lexists(target) and not overwrite:
        raise ValueError(_exists(target))
    with partial_folder(target.parent) as temporary:
        yield temporary
        if overwrite:
            _replace_folder(temporary, target)
        else:
            try:
                rename_folder(temporary, target)
            except FileExistsError:
                raise ValueError(_exists(target)) from None


@contextlib.contextmanager
def partial_folder(parent: Path) -> Iterator[Path]:
    """Gives a temporary folder, and removes what is left of it at the end.

    Args:
        parent: where it lies; made if need be.

    Yields:
        the folder, for `rename_folder`.
    """
    parent.mkdir(parents=True, exist_ok=True)
    sweep(parent)
    temporary, lock = _locked(parent, "partial", None)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        lock.release()


def rename_folder(temporary: Path, target: Path) -> None:
    """Gives a whole folder its name, if nothing has that name.

    Args:
        temporary: a folder in the same parent.
        target: what it is to be called.

    Raises:
        FileExistsError: if there is something, which stays as it is.
    """
    _flush_tree(temporary)
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    try:
        # Refuses what has come in between, unless it is an empty folder.
        os.rename(temporary, target)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise FileExistsError(*error.args[:2], str(target)) from None
        raise
    _flush(target.parent)


def sweep(folder: Path) -> None:
    """Removes what killed processes have left of files and folders.

    A folder that was killed while it was being replaced gets its name back.

    Args:
        folder: where the left-overs lie. What a process still writes stays.
    """
    if not folder.is_dir():
        return
    for entry in os.scandir(folder):
        if not _LEFT_OVER.fullmatch(entry.name) or entry.is_symlink():
            continue
        path = Path(entry)
        # Another may be sweeping too, or be done with it: not there, or locked.
        with contextlib.suppress(FileNotFoundError, BlockingIOError, PermissionError):
            lock = Lock(path)
            if lock.held and lock.is_of(path):
                _remove(path)
            lock.release()


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes a text file in UTF-8, all or nothing."""
    with new_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Writes a JSON file, all or nothing.

    JSON has no word for numbers that are not finite, such as the loss of an epoch that
    computed none: they become null.
    """
    text = json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def _exists(target: Path) -> str:
    return (
        f"{target} exists already. Choose another name, or pass `--overwrite` "
        "(`overwrite=True`) to replace it."
    )


def _locked(parent: Path, kind: str, suffix: str | None) -> tuple[Path, Lock]:
    """Makes a file that ends in `suffix`, or a folder, that no other sweeps away.

    The system chooses the mode, by the umask, as for any new file.
    """
    while True:
        path = parent / f".{kind}-{secrets.token_hex(6)}{suffix or ''}"
        if suffix is None:
            path.mkdir()
        else:
            path.touch(exist_ok=False)
        # Another may take it for a left-over before it is locked.
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            lock = Lock(path)
            if not lock.held or lock.is_of(path):
                return path, lock


def _replace_folder(temporary: Path, target: Path) -> None:
    _flush_tree(temporary)
    if not os.path.lexists(target):
        os.rename(temporary, target)
    else:
        old, lock = _locked(target.parent, "replaced", None)
        try:
            os.rename(target, old / target.name)
            os.rename(temporary, target)
        finally:
            _remove(old)  # Stopped in between, the old one gets its name back.
            lock.release()
    _flush(target.parent)


def _remove(left_over: Path) -> None:
    if not left_over.is_dir():
        left_over.unlink()
        return
    if left_over.name.startswith(".replaced-"):
        for replaced in left_over.iterdir():
            if not os.path.lexists(left_over.parent / replaced.name):
                os.rename(replaced, left_over.parent / replaced.name)
    shutil.rmtree(left_over, ignore_errors=True)


def _flush_tree(folder: Path) -> None:
    for path, _, files in os.walk(folder):
        for name in files:
            _flush(Path(path, name))
        _flush(Path(path))


def _flush(path: Path) -> None:
    """Waits until the disk has a file's contents, or a folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems, network ones among them, cannot do it for folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not path.is_dir():
            raise
    finally:
        os.close(handle)
