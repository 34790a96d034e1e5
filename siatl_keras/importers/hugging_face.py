"""`import_hugging_face`: a Llama in Hugging Face's format as a KerasHub preset.

KerasHub reads the format too, but not the byte-pair tokenizer that small Llamas such as
SmolLM2 have.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from siatl_keras.extras import needed
from siatl_keras.importers.architectures import ARCHITECTURES
from siatl_keras.importers.checkpoint_model import (
    Checkpoint,
    Tensor,
    import_checkpoint,
)

# What is needed of a model's files.
FILES = CONFIG, TOKENIZER, WEIGHTS = (
    "config.json",
    "tokenizer.json",
    "model.safetensors",
)
# ggml's names of the fields; what is not among them is refused below, or changes
# nothing of what is computed.
FIELDS = {
    "num_hidden_layers": "block_count",
    "hidden_size": "embedding_length",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
    "head_dim": "attention.key_length",
    "rms_norm_eps": "attention.layer_norm_rms_epsilon",
    "rope_theta": "rope.freq_base",
}
# What other values of the config would have to be computed for.
NEUTRAL: dict[str, Any] = {
    "model_type": "llama",
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
    "rope_scaling": None,
    "rope_interleaved": False,
    "rope_type": "default",
}
BLOCK = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
OTHERS = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
}


def import_hugging_face(
    checkpoint: str | os.PathLike[str],
    preset: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> Any:
    """Turns a Llama with a byte-pair tokenizer into a preset.

    See `import_gguf`, which says what the preset is.

    Args:
        checkpoint: folder with config.json, tokenizer.json and model.safetensors.
        preset: folder to be made.
        overwrite: whether an existing preset is replaced.

    Returns:
        `keras_hub.models.CausalLM` as saved.

    Raises:
        ValueError: that names the file and the field or tensor: a file is missing or
            damaged, or of another kind of model; or if `preset` exists and
            `overwrite` is false.
    """
    read = functools.partial(_read, Path(checkpoint))
    return import_checkpoint(read, str(checkpoint), preset, overwrite)


def _read(folder: Path) -> Checkpoint:
    for name in FILES:
        if not (folder / name).is_file():
            raise ValueError(
                f"`checkpoint` {folder}: there is no {name}. Expected: {FILES}."
            )
    config = _json(folder / CONFIG)
    llama = dataclasses.replace(ARCHITECTURES["llama"], rotates_halves=True)
    fields = _fields(config, folder) | _tokenizer_fields(folder / TOKENIZER)
    tensors = _tensors(folder / WEIGHTS)
    if config.get("tie_word_embeddings"):
        tensors.pop("output.weight", None)
    return Checkpoint(str(folder), llama, fields, tensors)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON: {error}") from error


def _fields(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    # Newer files keep the wavelength, and how it is scaled, in one place.
    config = {**config, **(config.get("rope_parameters") or {})}
    for key, expected in NEUTRAL.items():
        if (found := config.get(key, expected)) != expected:
            raise ValueError(
                f"{folder / CONFIG}: {key} changes what the model computes. Expected: "
                f"{expected!r}. Found: {str(found)[:40]!r}. Plain Llamas can be "
                "imported."
            )
    return {
        f"llama.{name}": config[key]
        for key, name in FIELDS.items()
        if config.get(key) is not None
    }


def _tokenizer_fields(path: Path) -> dict[str, Any]:
    """Says of a tokenizer what ggml's files say."""
    described = _json(path)
    pairs = described.get("model", {})
    if pairs.get("type") != "BPE" or not isinstance(pairs.get("vocab"), dict):
        raise ValueError(
            f"{path}: expected a byte-pair tokenizer, model.type 'BPE' with a vocab. "
            f"Found: {str(pairs.get('type'))[:40]!r}."
        )
    ids = dict(pairs["vocab"])
    ids |= {each["content"]: each["id"] for each in described.get("added_tokens", [])}
    words = sorted(ids, key=ids.__getitem__)
    if sorted(ids.values()) != list(range(len(words))):
        raise ValueError(
            f"{path}: the ids of its {len(words)} tokens are not those from 0 to "
            f"{len(words) - 1}."
        )
    merges = [
        each if isinstance(each, str) else " ".join(each)
        for each in pairs.get("merges", [])
    ]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": words,
        "tokenizer.ggml.merges": merges,
    }


def _tensors(path: Path) -> dict[str, Tensor]:
    with needed("safetensors").safe_open(path, "numpy") as file:
        names = list(file.keys())
        shapes = {key: file.get_slice(key).get_shape() for key in names}
    return {
        _name(key): Tensor(tuple(shape), functools.partial(_values, path, key))
        for key, shape in shapes.items()
    }


def _name(key: str) -> str:
    """Returns ggml's name of a tensor; one that is not known keeps its own."""
    name, _, kind = key.rpartition(".")
    if name in OTHERS:
        return f"{OTHERS[name]}.{kind}"
    number, _, part = name.removeprefix("model.layers.").partition(".")
    return f"blk.{number}.{BLOCK[part]}.{kind}" if part in BLOCK else key


def _values(path: Path, key: str) -> np.ndarray:
    with needed("safetensors").safe_open(path, "numpy") as file:
        return file.get_tensor(key).astype("float32")
