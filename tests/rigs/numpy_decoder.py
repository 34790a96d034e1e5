"""A causal transformer in numpy, written down from the architectures of ggml.

It takes the tensors of a GGUF file by their names, see `rigs.gguf_files`.
"""

import numpy as np

from rigs.gguf_files import GEMMA_WINDOW, HEAD

QUERIES, KEYS = 4, 2


def logits_of(tensors, token_ids, architecture="llama"):
    """Computes logits, `[time, vocabulary]`, of one text."""
    is_gemma = architecture == "gemma3"
    epsilon = 1e-6 if is_gemma else 1e-5
    x = tensors["token_embd.weight"][token_ids]
    if is_gemma:
        x = x * np.sqrt(x.shape[-1])
    blocks = sum(name.endswith("ffn_up.weight") for name in tensors)
    for number in range(blocks):
        start = f"blk.{number}."
        part = {
            name.removeprefix(start).removesuffix(".weight"): values
            for name, values in tensors.items()
            if name.startswith(start)
        }

        def norm(values, name, part=part):
            return rms_norm(values, part[name], epsilon) if name in part else values

        is_local = is_gemma and number % 6 != 5
        mixed = attention(norm(x, "attn_norm"), part, norm, architecture, is_local)
        x = x + norm(mixed, "post_attention_norm")
        h = norm(x, "ffn_norm")
        gate = (gelu if is_gemma else silu)(h @ part["ffn_gate"].T)
        x = x + norm(
            (gate * (h @ part["ffn_up"].T)) @ part["ffn_down"].T, "post_ffw_norm"
        )
    head = tensors.get("output.weight", tensors["token_embd.weight"])
    return rms_norm(x, tensors["output_norm.weight"], epsilon) @ head.T


def attention(x, part, norm, architecture, is_local):
    """Attends to all tokens before, or to the last few."""
    time, head = len(x), HEAD[architecture]

    def heads(name, count):
        values = x @ part[name].T + part.get(f"{name}.bias", 0)
        return norm(values.reshape(time, count, head), f"{name}_norm")

    base = 500.0
    if architecture == "gemma3":
        base = 1e4 if is_local else 1e6
    rotated = rotated_neighbours if architecture == "llama" else rotated_halves
    query = rotated(heads("attn_q", QUERIES), base)
    key = rotated(heads("attn_k", KEYS), base).repeat(QUERIES // KEYS, 1)
    value = heads("attn_v", KEYS).repeat(QUERIES // KEYS, 1)
    scores = np.einsum("qhd,khd->hqk", query, key) / np.sqrt(head)
    back = np.arange(time)[:, None] - np.arange(time)
    is_seen = (back >= 0) & ((back < GEMMA_WINDOW) | (not is_local))
    scores = np.where(is_seen, scores, -np.inf)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    mixed = np.einsum("hqk,khd->qhd", shares, value).reshape(time, QUERIES * head)
    return mixed @ part["attn_output"].T


def rms_norm(x, scale, epsilon):
    """Divides by the root of the mean square."""
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon) * scale


def silu(x):
    """The gate of a Llama."""
    return x / (1 + np.exp(-x))


def gelu(x):
    """The gate of a Gemma, by the tangent."""
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def _turn(first, second, base, size):
    angles = np.arange(len(first))[:, None] * base ** (-np.arange(0, size, 2) / size)
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    return first * cos - second * sin, first * sin + second * cos


def rotated_neighbours(x, base):
    """Rotates neighbouring features, as ggml does for a Llama."""
    turned = _turn(x[..., ::2], x[..., 1::2], base, x.shape[-1])
    return np.stack(turned, -1).reshape(x.shape)


def rotated_halves(x, base):
    """Rotates a feature with that half a head further on, as for all others."""
    half = x.shape[-1] // 2
    return np.concatenate(_turn(x[..., :half], x[..., half:], base, x.shape[-1]), -1)
