"""Writes GGUF files of small random models, with `gguf`'s own writer."""

import gguf
import numpy as np

from siatl_keras.importers.gguf_import import BLOCK

WORDS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *"adgoy", "da", "day", "Ġ"]
FIELDS = {
    "block_count": 2,
    "embedding_length": 32,
    "feed_forward_length": 64,
}


def random_tensors(tied=True):
    """The tensors of a Llama with 4 heads of 8, 2 of them for keys and values."""
    generator = np.random.default_rng(0)
    shapes = {"token_embd": (len(WORDS), 32), "output_norm": (32,)}
    if not tied:
        shapes["output"] = (len(WORDS), 32)
    for block in range(2):
        sizes = {
            "attn_norm": (32,),
            "attn_q": (32, 32),
            "attn_k": (16, 32),
            "attn_v": (16, 32),
            "attn_output": (32, 32),
            "ffn_norm": (32,),
            "ffn_gate": (64, 32),
            "ffn_up": (64, 32),
            "ffn_down": (32, 64),
        }
        assert sizes.keys() == BLOCK.keys()
        shapes |= {f"blk.{block}.{name}": shape for name, shape in sizes.items()}
    return {
        f"{name}.weight": generator.normal(scale=0.3, size=shape).astype("float32")
        for name, shape in shapes.items()
    }


def write(path, tensors, architecture="llama", words=WORDS, quantized=(), more=()):
    """Writes a file; `more` are names of writer methods and their arguments."""
    writer = gguf.GGUFWriter(path, architecture)
    sizes = FIELDS | {k: v for k, v in dict(more).items() if k in FIELDS}
    for name, value in sizes.items():
        writer.add_uint32(f"{architecture}.{name}", value)
    for method, arguments in more:
        if method not in FIELDS:
            getattr(writer, method)(*arguments)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_rope_freq_base(500.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_merges(["d a", "da y"])
    for name, values in tensors.items():
        kind = None
        if name in quantized:
            kind = gguf.GGMLQuantizationType.Q8_0
            values = gguf.quantize(values, kind)
        writer.add_tensor(name, values, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
