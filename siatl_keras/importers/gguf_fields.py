"""A GGUF file's fields: read, compared with its tensors, and refused if not known here.

What they mean is ggml's specification; `gguf_import` says which models it imports.
"""

from __future__ import annotations

from typing import Any

# Fields that change nothing of what is computed.
HARMLESS = {
    "llama.context_length",
    "llama.vocab_size",
    "llama.rope.scaling.finetuned",
    "llama.rope.scaling.original_context_length",
}
# Fields that may say only what is the case without them; "head" is the size of a head.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "llama.attention.causal": (True,),
    "llama.attention.clamp_kqv": (0,),
    "llama.attention.key_length": ("head",),
    "llama.attention.max_alibi_bias": (0,),
    "llama.attention.sliding_window": (0,),
    "llama.attention.value_length": ("head",),
    "llama.attn_logit_softcapping": (0,),
    "llama.embedding_scale": (0, 1),
    "llama.expert_count": (0,),
    "llama.expert_used_count": (0,),
    "llama.final_logit_softcapping": (0,),
    "llama.logit_scale": (0, 1),
    "llama.residual_scale": (0, 1),
    "llama.rope.dimension_count": ("head",),
    "llama.rope.scale_linear": (1,),
    "llama.rope.scaling.attn_factor": (1,),
    "llama.rope.scaling.factor": (0, 1),  # 0: not set
    "llama.rope.scaling.type": ("none", "linear"),  # linear by the factor above
    "llama.use_parallel_residual": (False,),
    "general.type": ("model",),
    "split.count": (0, 1),
    "tokenizer.ggml.add_eos_token": (False,),
    "tokenizer.ggml.add_space_prefix": (False,),
}


def texts_of(fields: dict[str, Any], key: str, name: str) -> list[str]:
    """Reads a list of texts; `name` is the file's, for errors."""
    texts = fields.get(key)
    if not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
        raise ValueError(f"`checkpoint` {name}: {key} must be a list of texts.")
    return texts


def sizes_of(fields: dict[str, Any], name: str) -> dict[str, int]:
    """Reads the backbone's sizes, and what they must be to each other."""
    heads = "llama.attention.head_count"
    keys = {
        "num_layers": "llama.block_count",
        "hidden_dim": "llama.embedding_length",
        "intermediate_dim": "llama.feed_forward_length",
        "num_query_heads": heads,
        "num_key_value_heads": "llama.attention.head_count_kv",
    }
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
    if sizes["hidden_dim"] % (2 * query_heads) or query_heads % key_heads:
        raise ValueError(
            f"`checkpoint` {name}: {heads} must divide llama.embedding_length into "
            "heads of an even size, and be a multiple of "
            f"{keys['num_key_value_heads']}. Found: {query_heads}, "
            f"{sizes['hidden_dim']}, {key_heads}."
        )
    return sizes


def positive(
    fields: dict[str, Any], key: str, name: str, default: float | None = None
) -> float:
    """Reads a number above 0; `name` is the file's, for errors."""
    value: Any = fields.get(key, default)
    if type(value) not in (int, float) or not 0 < value < float("inf"):
        raise ValueError(
            f"`checkpoint` {name}: {key} must be a number above 0. "
            f"Found: {str(value)[:40]}."
        )
    return value


def check_neutral(fields: dict[str, Any], head: int, name: str) -> None:
    """Refuses fields that change what the model computes, rather than ignore them."""
    used = {
        "llama.block_count",
        "llama.embedding_length",
        "llama.feed_forward_length",
        "llama.attention.head_count",
        "llama.attention.head_count_kv",
        "llama.attention.layer_norm_rms_epsilon",
        "llama.rope.freq_base",
    }
    for key, value in fields.items():
        if key in NEUTRAL:
            allowed = [head if v == "head" else v for v in NEUTRAL[key]]
            if value in allowed:
                continue
            wanted = " or ".join(map(repr, allowed))
        elif not key.startswith("llama.") or key in used | HARMLESS:
            continue
        else:
            wanted = "none, it is not known here"
        raise ValueError(
            f"`checkpoint` {name}: {key} changes what the model computes. Expected: "
            f"{wanted}. Found: {str(value)[:40]}. Plain models of the Llama "
            "architecture can be imported."
        )


def check_shapes(
    tensors: dict[str, Any], sizes: dict[str, int], vocabulary: int, name: str
) -> None:
    """Compares the tensors with the sizes before any of these is allocated."""
    hidden, inner = sizes["hidden_dim"], sizes["intermediate_dim"]
    keys = hidden // sizes["num_query_heads"] * sizes["num_key_value_heads"]
    block = {
        "attn_norm": (hidden,),
        "attn_q": (hidden, hidden),
        "attn_k": (keys, hidden),
        "attn_v": (keys, hidden),
        "attn_output": (hidden, hidden),
        "ffn_norm": (hidden,),
        "ffn_gate": (inner, hidden),
        "ffn_up": (inner, hidden),
        "ffn_down": (hidden, inner),
    }
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (vocabulary, hidden),
        "output_norm.weight": (hidden,),
    }
    if "output.weight" in tensors:
        shapes["output.weight"] = (vocabulary, hidden)
    # One block more than there are tensors is one that lacks some: no need for all.
    for number in range(min(sizes["num_layers"], len(tensors) + 1)):
        shapes |= {f"blk.{number}.{key}.weight": size for key, size in block.items()}
    for key, expected in shapes.items():
        if key not in tensors:
            raise ValueError(f"`checkpoint` {name}: there is no tensor {key}.")
        found = tuple(int(size) for size in reversed(tensors[key].shape))
        if found != expected:
            raise ValueError(
                f"`checkpoint` {name}: tensor {key} has the shape {found}. Expected by "
                f"the file's own fields: {expected}."
            )
    if unknown := sorted(tensors.keys() - shapes.keys()):
        raise ValueError(
            f"`checkpoint` {name}: the tensors {str(unknown)[:200]} are not known "
            "here. Plain models of the Llama architecture can be imported."
        )
