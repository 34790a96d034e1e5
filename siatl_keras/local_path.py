"""`check_local_path`: refuses `gs://…` and its like, which are no paths here.

Python takes such a name for folders called `gs:`, and would report success.
"""

from __future__ import annotations

import os
import re

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")


def check_local_path(path: str | os.PathLike[str], argument: str) -> None:
    """Checks that a path has no scheme.

    Args:
        path: path of a file or folder.
        argument: what the message calls it.

    Raises:
        ValueError: if it has one.
    """
    path = os.fspath(path)
    # One slash is what `pathlib` leaves of two.
    if isinstance(path, str) and (found := _SCHEME.match(path)):
        raise ValueError(
            f"{argument} must be a path on this machine. Received: {path[:80]}; names "
            f"with `{found[0].rstrip('/')}//` are not read or written, so copy the "
            "files to or from there, or mount it as a folder."
        )
