"""Writes small random Llamas in Hugging Face's format."""

import json

from ml_dtypes import bfloat16
from safetensors.numpy import save

from rigs.gguf_files import WORDS, random_tensors

PARTS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
}
CONFIG = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_act": "silu",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-5,
    "rope_theta": 500,
    "vocab_size": len(WORDS),
    "attention_bias": False,
    "rope_scaling": None,
    "torch_dtype": "bfloat16",
}
# Special tokens are told apart from those that texts are made of.
TOKENIZER = {
    "added_tokens": [{"id": i, "content": WORDS[i]} for i in range(3)],
    "model": {
        "type": "BPE",
        "vocab": {word: number for number, word in enumerate(WORDS) if number > 2},
        "merges": ["d a", ["da", "y"]],
    },
}


def rounded_tensors(tied=True):
    """The tensors, named as in a GGUF file, as bfloat16 has them."""
    tensors = random_tensors(tied)
    return {key: v.astype(bfloat16).astype("float32") for key, v in tensors.items()}


def files_of(tied=True, config=(), tokenizer=None, tensors=None):
    """Makes the files, a dict of bytes."""
    named = {}
    for key, values in (tensors or rounded_tensors(tied)).items():
        *block, part, kind = key.split(".")
        start = f"model.layers.{block[1]}." if block else ""
        named[f"{start}{PARTS.get(part, part)}.{kind}"] = values.astype(bfloat16)
    written = CONFIG | {"tie_word_embeddings": tied} | dict(config)
    return {
        "config.json": json.dumps(written).encode(),
        "tokenizer.json": json.dumps(tokenizer or TOKENIZER).encode(),
        "model.safetensors": save(named),
    }


def write(folder, **options):
    """Writes the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files_of(**options).items():
        (folder / name).write_bytes(content)
    return folder
