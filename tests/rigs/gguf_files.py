"""Writes GGUF files of small random models, with `gguf`'s own writer.

Each has heads of 8, 4 for queries and 2 for keys and values, in a width of 32; those of
the architectures that say how large a head is have heads of 6.
"""

import gguf
import numpy as np

WORDS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *"adgoy", "da", "day", "Ġ"]
FIELDS = {
    "block_count": 2,
    "embedding_length": 32,
    "feed_forward_length": 64,
}
HEAD = {"llama": 8, "qwen2": 8, "qwen3": 6, "gemma3": 6}
BLOCKS = {"gemma3": 6}  # The sixth is the first that attends to all of a text.
GEMMA_WINDOW = 4
NORMS = {"llama": (), "qwen2": (), "qwen3": ("attn_q_norm", "attn_k_norm")}
NORMS["gemma3"] = (*NORMS["qwen3"], "post_attention_norm", "post_ffw_norm")


def random_tensors(tied=True, architecture="llama", vocabulary=None):
    """The tensors of a model, by their names in the file."""
    generator = np.random.default_rng(0)
    head, size = HEAD[architecture], vocabulary or len(WORDS)
    shapes = {"token_embd.weight": (size, 32), "output_norm.weight": (32,)}
    if not tied:
        shapes["output.weight"] = (size, 32)
    for block in range(BLOCKS.get(architecture, 2)):
        sizes = {
            "attn_norm.weight": (32,),
            "attn_q.weight": (4 * head, 32),
            "attn_k.weight": (2 * head, 32),
            "attn_v.weight": (2 * head, 32),
            "attn_output.weight": (32, 4 * head),
            "ffn_norm.weight": (32,),
            "ffn_gate.weight": (64, 32),
            "ffn_up.weight": (64, 32),
            "ffn_down.weight": (32, 64),
        }
        for norm in NORMS[architecture]:
            sizes[f"{norm}.weight"] = (32 if norm.startswith("post") else head,)
        if architecture == "qwen2":
            sizes |= {"attn_q.bias": (32,), "attn_k.bias": (16,), "attn_v.bias": (16,)}
        shapes |= {f"blk.{block}.{name}": shape for name, shape in sizes.items()}
    return {
        name: generator.normal(scale=0.3, size=shape).astype("float32")
        for name, shape in shapes.items()
    }


def write(
    path,
    tensors,
    architecture="llama",
    words=WORDS,
    quantized=(),
    more=(),
    sentence_piece=None,
    window=GEMMA_WINDOW,
    wavelength=500.0,
):
    """Writes a file; `more` are names of writer methods and their arguments.

    With the `ModelProto` of a SentencePiece model the file has its tokenizer.
    """
    writer = gguf.GGUFWriter(path, architecture)
    blocks = {"block_count": BLOCKS.get(architecture, 2)}
    sizes = FIELDS | blocks | {k: v for k, v in dict(more).items() if k in FIELDS}
    for name, value in sizes.items():
        writer.add_uint32(f"{architecture}.{name}", value)
    for method, arguments in more:
        if method not in FIELDS:
            getattr(writer, method)(*arguments)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    is_gemma = architecture == "gemma3"
    if wavelength:
        writer.add_rope_freq_base(1_000_000.0 if is_gemma else wavelength)
    writer.add_layer_norm_rms_eps(1e-6 if is_gemma else 1e-5)
    if HEAD.get(architecture) == 6:
        writer.add_key_length(6)
        writer.add_value_length(6)
    if is_gemma and window:
        writer.add_sliding_window(window)
    if sentence_piece:
        _add_sentence_piece(writer, sentence_piece)
    else:
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


def _add_sentence_piece(writer, proto):
    """Says of a tokenizer what llama.cpp's converter says, spaces and all."""
    user_defined = gguf.TokenType.USER_DEFINED
    writer.add_tokenizer_model("llama")
    writer.add_token_list(
        [
            p.piece.replace("\u2581", " ") if p.type == user_defined else p.piece
            for p in proto.pieces
        ]
    )
    writer.add_token_scores([p.score for p in proto.pieces])
    writer.add_token_types([p.type for p in proto.pieces])
    writer.add_unk_token_id(proto.trainer_spec.unk_id)
    writer.add_add_space_prefix(proto.normalizer_spec.add_dummy_prefix)
    writer.add_add_bos_token(True)
