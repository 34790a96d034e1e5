"""A checkpoint's fields: read, compared with its tensors, refused if not known here.

What they mean is ggml's specification; a model's own begin with the name of its
architecture, left out below.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from siatl_keras.importers.architectures import (
    ARCHITECTURES,
    EPSILON,
    HEAD_SIZE,
    WAVELENGTH,
    Architecture,
)

BYTE_PAIRS, SENTENCE_PIECE = "gpt2", "llama"  # What the file calls its tokenizer.
SIZES = {
    "num_layers": "block_count",
    "hidden_dim": "embedding_length",
    "intermediate_dim": "feed_forward_length",
    "num_query_heads": "attention.head_count",
    "num_key_value_heads": "attention.head_count_kv",
}
# What a field may say, "head" being the size of a head; `None` is anything: it is read,
# or changes nothing of what is computed.
FIELDS: dict[str, tuple[Any, ...] | None] = {
    **dict.fromkeys((*SIZES.values(), EPSILON, WAVELENGTH)),
    "attention.causal": (True,),
    "attention.clamp_kqv": (0,),
    HEAD_SIZE: ("head",),
    "attention.max_alibi_bias": (0,),
    "attention.sliding_window": (0,),
    "attention.value_length": ("head",),
    "attn_logit_softcapping": (0,),
    "context_length": None,
    "embedding_scale": (0, 1),
    "expert_count": (0,),
    "expert_used_count": (0,),
    "final_logit_softcapping": (0,),
    "logit_scale": (0, 1),
    "residual_scale": (0, 1),
    "rope.dimension_count": ("head",),
    "rope.scale_linear": (1,),
    "rope.scaling.attn_factor": (1,),
    "rope.scaling.factor": (0, 1),  # 0: not set
    "rope.scaling.finetuned": None,
    "rope.scaling.original_context_length": None,
    "rope.scaling.type": ("none", "linear"),  # linear by the factor above
    "use_parallel_residual": (False,),
    "vocab_size": None,
}
OTHER_FIELDS: dict[str, tuple[Any, ...]] = {
    "general.type": ("model",),
    "split.count": (0, 1),
    "tokenizer.ggml.add_eos_token": (False,),
}
# SentencePiece's tokenizers may put a space before a text, byte pairs may not.
BYTE_PAIR_FIELDS = {"tokenizer.ggml.add_space_prefix": (False,)}


def architecture_of(fields: dict[str, Any], name: str) -> Architecture:
    """Finds which architecture a file's model has; `name` is the file's, for errors."""
    found = fields.get("general.architecture")
    if not isinstance(found, str) or found not in ARCHITECTURES:
        raise ValueError(
            f"`checkpoint` {name}: general.architecture must be one of "
            f"{sorted(ARCHITECTURES)}. Found: {str(found)[:40]!r}."
        )
    return ARCHITECTURES[found]


def sizes_of(
    fields: dict[str, Any], architecture: Architecture, name: str
) -> dict[str, int]:
    """Reads the backbone's sizes, and what they must be to each other."""
    named = (SIZES | architecture.sizes).items()
    keys = {argument: f"{architecture.name}.{key}" for argument, key in named}
    heads = keys["num_query_heads"]
    fields = {keys["num_key_value_heads"]: fields.get(heads), **fields}
    sizes = {}
    for argument, key in keys.items():
        size = fields.get(key)
        if type(size) is not int or not 1 <= size < 1 << 31:
            raise ValueError(
                f"`checkpoint` {name}: {key} must be a whole number from 1. "
                f"Found: {str(size)[:40]}."
            )
        sizes[argument] = size
    query_heads, key_heads = sizes["num_query_heads"], sizes["num_key_value_heads"]
    if head_size(sizes) % 2 or query_heads % key_heads:
        raise ValueError(
            f"`checkpoint` {name}: {heads} must divide {keys['hidden_dim']} into "
            "heads of an even size, unless that is given, and be a multiple of "
            f"{keys['num_key_value_heads']}. Found: {query_heads}, "
            f"{sizes['hidden_dim']}, {key_heads}."
        )
    return sizes


def head_size(sizes: dict[str, int]) -> int:
    """Returns the size of each head; odd where there can be none."""
    hidden, heads = sizes["hidden_dim"], sizes["num_query_heads"]
    return sizes.get("head_dim", 1 if hidden % heads else hidden // heads)


def positive(fields: dict[str, Any], key: str, name: str) -> float:
    """Reads a number above 0; `name` is the file's, for errors."""
    value: Any = fields.get(key)
    if type(value) not in (int, float) or not 0 < value < float("inf"):
        raise ValueError(
            f"`checkpoint` {name}: {key} must be a number above 0. "
            f"Found: {str(value)[:40]}."
        )
    return value


def check_fields(
    fields: dict[str, Any], architecture: Architecture, head: int, name: str
) -> None:
    """Refuses fields that change what the model computes, rather than ignore them."""
    own = f"{architecture.name}."
    read = dict.fromkeys(architecture.sizes.values())
    rules = FIELDS | read | architecture.fields
    known = {own + key: may for key, may in rules.items()}
    known |= OTHER_FIELDS
    if fields.get("tokenizer.ggml.model") == BYTE_PAIRS:
        known |= BYTE_PAIR_FIELDS
    for key, value in fields.items():
        if key in known:
            may = known[key]
            if may is None or any(_is(value, head if v == "head" else v) for v in may):
                continue
            wanted = " or ".join(repr(head if v == "head" else v) for v in may)
        elif key.startswith(own):
            wanted = "none, it is not known here"
        else:
            continue
        raise ValueError(
            f"`checkpoint` {name}: {key} changes what the model computes. Expected: "
            f"{wanted}. Found: {str(value)[:40]}. Plain models of the architecture "
            f"{architecture.name!r} can be imported."
        )


def _is(found: Any, wanted: Any) -> bool:
    """Whether they are equal; the file's numbers are of single precision."""
    if isinstance(wanted, float) and isinstance(found, float):
        return np.float32(found) == np.float32(wanted)
    return found == wanted


def check_shapes(
    found: dict[str, tuple[int, ...]],
    sizes: dict[str, int],
    architecture: Architecture,
    vocabulary: int,
    name: str,
) -> None:
    """Compares the tensors' shapes with the sizes before any of these is allocated."""
    hidden, inner, head = (
        sizes["hidden_dim"],
        sizes["intermediate_dim"],
        head_size(sizes),
    )
    queries, keys = head * sizes["num_query_heads"], head * sizes["num_key_value_heads"]
    outputs = {"attn_q": queries, "attn_k": keys, "attn_v": keys}
    sides = {
        **{part: (size, hidden) for part, size in outputs.items()},
        **{f"{part}.bias": (size,) for part, size in outputs.items()},
        "attn_q_norm": (head,),
        "attn_k_norm": (head,),
        "attn_output": (hidden, queries),
        "ffn_gate": (inner, hidden),
        "ffn_up": (inner, hidden),
        "ffn_down": (hidden, inner),
    }
    block = {
        tensor_name(part): sides.get(part, (hidden,)) for part in architecture.block
    }
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (vocabulary, hidden),
        "output_norm.weight": (hidden,),
    }
    if "output.weight" in found and not architecture.is_always_tied:
        shapes["output.weight"] = (vocabulary, hidden)
    # One block more than there are tensors is one that lacks some: no need for all.
    for number in range(min(sizes["num_layers"], len(found) + 1)):
        shapes |= {f"blk.{number}.{key}": size for key, size in block.items()}
    for key, expected in shapes.items():
        if key not in found:
            raise ValueError(f"`checkpoint` {name}: there is no tensor {key}.")
        if found[key] != expected:
            raise ValueError(
                f"`checkpoint` {name}: tensor {key} has the shape {found[key]}. "
                f"Expected by the file's own fields: {expected}."
            )
    if unknown := sorted(found.keys() - shapes.keys()):
        raise ValueError(
            f"`checkpoint` {name}: the tensors {str(unknown)[:200]} are not known "
            f"here. Plain models of the architecture {architecture.name!r} can be "
            "imported."
        )


def tensor_name(part: str) -> str:
    """Returns the name of a part's tensor in the file, without its block."""
    return part if part.endswith(".bias") else f"{part}.weight"
