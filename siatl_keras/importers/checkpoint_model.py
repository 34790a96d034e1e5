"""`import_checkpoint`: a preset of a checkpoint's fields and tensors.

Both are named as in ggml's files; `hugging_face` gives other files' these names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from siatl_keras.atomic import new_folder
from siatl_keras.checksums import write_checksums
from siatl_keras.importers.architectures import EPSILON, WAVELENGTH, Architecture
from siatl_keras.importers.checkpoint_fields import (
    check_fields,
    check_shapes,
    head_size,
    positive,
    sizes_of,
    tensor_name,
)
from siatl_keras.importers.checkpoint_tokenizer import checkpoint_tokenizer
from siatl_keras.presets.check_preset import named_errors


@dataclass(frozen=True)
class Tensor:
    """A tensor of a checkpoint, not read yet.

    Attributes:
        shape: `(outputs, inputs)` or `(size,)`.
        read: returns its float32 values.
    """

    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        name: of its file or folder, for errors.
        architecture: of its model.
        fields: what it says of the model and of its tokenizer.
        tensors: by their names.
    """

    name: str
    architecture: Architecture
    fields: dict[str, Any]
    tensors: dict[str, Tensor]


def import_checkpoint(
    read: Callable[[], Checkpoint],
    name: str,
    preset: str | os.PathLike[str],
    overwrite: bool,
) -> Any:
    """Turns a checkpoint into a preset.

    Args:
        read: returns the checkpoint.
        name: of the checkpoint, for errors.
        preset: folder to be made.
        overwrite: whether an existing preset is replaced.

    Returns:
        `keras_hub.models.CausalLM`, float32, as saved.

    Raises:
        ValueError: that names the field or the tensor that is missing, damaged, or
            not known here; or if `preset` exists and `overwrite` is false.
    """
    with named_errors(f"`checkpoint` {name}", f"`checkpoint` {name}"):
        model = _language_model(read())
    with new_folder(preset, overwrite=overwrite) as folder:
        model.save_to_preset(str(folder))
        write_checksums(folder)
    return model


def _language_model(checkpoint: Checkpoint) -> Any:
    name, architecture = checkpoint.name, checkpoint.architecture
    own = f"{architecture.name}."
    fields = {own + WAVELENGTH: 10_000.0, **checkpoint.fields}  # ggml's default.
    tensors = checkpoint.tensors
    sizes = sizes_of(fields, architecture, name)
    check_fields(fields, architecture, head_size(sizes), name)
    tokenizer = checkpoint_tokenizer(fields, architecture.name, name)
    vocabulary = tokenizer.vocabulary_size()
    shapes = {key: tensor.shape for key, tensor in tensors.items()}
    check_shapes(shapes, sizes, architecture, vocabulary, name)
    backbone = architecture.backbone(
        {"vocabulary_size": vocabulary, **sizes},
        "output.weight" not in tensors,
        positive(fields, own + WAVELENGTH, name),
        positive(fields, own + EPSILON, name),
    )
    for variable in backbone.trainable_variables:
        variable.assign(_values(variable, checkpoint))
    preprocessor = architecture.preprocessor(
        tokenizer,
        sequence_length=128,
        add_start_token=bool(fields.get("tokenizer.ggml.add_bos_token", False)),
        add_end_token=False,
    )
    return architecture.causal_lm(
        backbone=backbone, preprocessor=preprocessor, dtype="float32"
    )


def _values(variable: keras.Variable, checkpoint: Checkpoint) -> np.ndarray:
    key = _tensor_of(variable, checkpoint.architecture)
    if key is None:  # A bias of a Qwen 2 that a Llama has none of.
        return np.zeros(variable.shape, "float32")
    values = checkpoint.tensors[key].read()
    if not np.isfinite(values).all():
        raise ValueError(
            f"`checkpoint` {checkpoint.name}: tensor {key} holds what is no finite "
            "number."
        )
    return _ordered(values, key, variable.shape, checkpoint.architecture)


def _tensor_of(variable: keras.Variable, architecture: Architecture) -> str | None:
    path = variable.path
    if path.endswith("token_embedding/embeddings"):
        return "token_embd.weight"
    if path.endswith("token_embedding/reverse_embeddings"):
        return "output.weight"
    block = re.search(r"(?:transformer_layer|decoder_block)_(\d+)/", path)
    if not block:
        return "output_norm.weight"
    for part, end in architecture.block.items():
        if path.endswith("/" + end):
            return f"blk.{block[1]}.{tensor_name(part)}"
    return None


def _ordered(
    values: np.ndarray, key: str, shape: Any, architecture: Architecture
) -> np.ndarray:
    """Brings a tensor's values into the order of its variable."""
    if key == "token_embd.weight":
        return values
    if key.endswith("norm.weight"):
        return values - 1 if architecture.adds_one else values
    part = key.split(".")[-2]
    if not architecture.rotates_halves and part in ("attn_q", "attn_k"):
        values = _halves(values, shape[1])
    if architecture.heads_first and part in ("attn_q", "attn_k", "attn_v"):
        heads, inputs, head = shape
        return values.reshape(heads, head, inputs).swapaxes(1, 2)
    return values.T.reshape(shape)


def _halves(values: np.ndarray, heads: int) -> np.ndarray:
    """Reorders the outputs of each head: ggml rotates neighbours, Keras halves."""
    outputs, inputs = values.shape
    pairs = values.reshape(heads, outputs // heads // 2, 2, inputs)
    return pairs.swapaxes(1, 2).reshape(outputs, inputs)
