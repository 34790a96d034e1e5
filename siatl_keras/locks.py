"""`lock`: keeps a file or folder to one process; the system frees it when that ends.

`flock` rather than a file with a process's number in it: a killed process leaves
nothing behind that has to be judged.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Lock:
    """A lock that is held until `release`, or until the process ends.

    Where the file system knows no locks, as some network ones do not, `held` is false.

    Args:
        path: an existing file or folder.

    Raises:
        BlockingIOError: if another holds it.
    """

    _handle: int | None = None
    held = False

    def __init__(self, path: Path) -> None:
        # A network file system wants a file open for writing; a folder cannot be.
        flags = os.O_RDONLY if path.is_dir() else os.O_RDWR
        self._handle = os.open(path, flags | os.O_CLOEXEC)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.held = True
        except BlockingIOError:
            self.release()
            raise
        except OSError:
            self.release()

    def is_of(self, path: Path) -> bool:
        """Tells whether what is locked still has this name."""
        try:
            now = os.stat(path, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return self._handle is not None and os.path.samestat(
            os.fstat(self._handle), now
        )

    def release(self) -> None:
        """Gives the lock back; more than once does no harm."""
        if self._handle is not None:
            os.close(self._handle)
        self._handle = None
        self.held = False

    def __del__(self) -> None:
        self.release()
