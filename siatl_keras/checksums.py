"""`write_checksums`, `check_checksum`: whether weights are as they were written.

A bit that tips on a disk or a copy that was cut off makes other weights, which load all
the same. The file has the format of `sha256sum`, and `sha256sum --check` reads it too.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from siatl_keras.atomic import write_text

CHECKSUMS = "weights.sha256"


def write_checksums(preset: str | os.PathLike[str]) -> None:
    """Writes `weights.sha256`, with a line for each file of weights in a preset.

    Args:
        preset: folder of the preset.
    """
    paths = sorted(Path(preset).glob("*.h5"))
    lines = [f"{sha256_of(path)}  {path.name}\n" for path in paths]
    write_text(Path(preset) / CHECKSUMS, "".join(lines))


def check_checksum(weights: str | os.PathLike[str]) -> None:
    """Raises if a file of weights is not what `weights.sha256` beside it says.

    Args:
        weights: the file. One that has no checksum is taken as it is.

    Raises:
        ValueError: if the file is damaged, or `weights.sha256` is.
    """
    path = Path(weights)
    expected = read_checksums(path.with_name(CHECKSUMS)).get(path.name)
    if expected is not None and sha256_of(path) != expected:
        raise ValueError(
            f"{path}: damaged, it is not the file that {CHECKSUMS} beside it was made "
            f"of. Copy the preset again; if the weights were replaced on purpose, "
            f"delete {CHECKSUMS}."
        )


def read_checksums(path: str | os.PathLike[str]) -> dict[str, str]:
    """Reads checksums by file name; none where there is no such file.

    Args:
        path: a file that `write_checksums` wrote.

    Raises:
        ValueError: if it is not such a file.
    """
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise ValueError(_not_checksums(path, 1)) from error
    checksums = {}
    for number, line in enumerate(lines, start=1):
        checksum, gap, name = line.partition("  ")
        if len(checksum) != 64 or not gap or name != Path(name).name or not name:
            raise ValueError(_not_checksums(path, number))
        checksums[name] = checksum
    return checksums


def _not_checksums(path: str | os.PathLike[str], number: int) -> str:
    return (
        f"{path}, line {number}: expected a checksum of 64 digits, two spaces and the "
        "name of a file. Copy the preset again."
    )


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Returns a file's SHA-256, in 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
