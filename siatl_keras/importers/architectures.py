"""The architectures whose checkpoints become presets, and how their weights are named.

Checkpoints are described as in ggml's files, which name each tensor for the part of the
block that it belongs to; KerasHub's variables have paths.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras_hub

HEAD_SIZE = "attention.key_length"
EPSILON, WAVELENGTH = "attention.layer_norm_rms_epsilon", "rope.freq_base"
# The part of a block and the end of the variable's path, in KerasHub's Qwen 2 and 3.
QWEN_BLOCK = {
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
BIASES = {
    "attn_q.bias": "query/bias",
    "attn_k.bias": "key/bias",
    "attn_v.bias": "value/bias",
}
GEMMA_BLOCK = {
    "attn_norm": "pre_attention_norm/scale",
    "attn_q": "query/kernel",
    "attn_q_norm": "query_norm/scale",
    "attn_k": "key/kernel",
    "attn_k_norm": "key_norm/scale",
    "attn_v": "value/kernel",
    "attn_output": "attention_output/kernel",
    "post_attention_norm": "post_attention_norm/scale",
    "ffn_norm": "pre_ffw_norm/scale",
    "ffn_gate": "ffw_gating/kernel",
    "ffn_up": "ffw_gating_2/kernel",
    "ffn_down": "ffw_linear/kernel",
    "post_ffw_norm": "post_ffw_norm/scale",
}


@dataclass(frozen=True)
class Architecture:
    """What a checkpoint of an architecture holds, and what it becomes.

    Attributes:
        name: as in the file.
        backbone: makes the `keras_hub.models.Backbone` of its sizes, whether the
            output weights are the embeddings, and the rotary embeddings' wavelength and
            the norms' epsilon.
        causal_lm: `keras_hub.models.CausalLM` of it.
        preprocessor: of that, made of tokenizer, `sequence_length` and whether
            texts get their start and end token.
        block: the tensors of a block and the ends of the paths of their variables.
            Those without a suffix end in ".weight".
        sizes: the backbone's arguments that are sizes, beside those that all have, and
            the fields that give them.
        fields: what is said of fields in place of `checkpoint_fields.FIELDS`.
        rotates_halves: whether rotary embeddings pair a feature with that half a head
            further on, as KerasHub does, in place of its neighbour.
        heads_first: whether variables of queries, keys and values are `[heads, inputs,
            size]` in place of `[inputs, heads, size]`.
        is_always_tied: whether the output weights can be nothing but the embeddings.
        adds_one: whether the file's scales of norms are 1 + those of the variables.
    """

    name: str
    backbone: Callable[..., Any]
    causal_lm: Any
    preprocessor: Any
    block: dict[str, str]
    sizes: dict[str, str] = field(default_factory=dict)
    fields: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    rotates_halves: bool = True
    heads_first: bool = False
    adds_one: bool = False
    is_always_tied: bool = False


def _qwen(backbone: Any) -> Callable[..., Any]:
    def made(
        sizes: dict[str, int], is_tied: bool, wavelength: float, epsilon: float
    ) -> Any:
        return backbone(
            **sizes,
            rope_max_wavelength=wavelength,
            layer_norm_epsilon=epsilon,
            tie_word_embeddings=is_tied,
            dtype="float32",
        )

    return made


def _gemma3(
    sizes: dict[str, int], is_tied: bool, wavelength: float, epsilon: float
) -> Any:
    # All but the sizes is fixed in KerasHub, and checked by the fields below.
    return keras_hub.models.Gemma3Backbone(
        **sizes,
        image_size=896,  # Of images, which a model of texts has none of.
        use_post_ffw_norm=True,
        use_post_attention_norm=True,
        use_sliding_window_attention=True,
        dtype="float32",
    )


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        # A Llama is a Qwen 2 whose biases are zero; KerasHub 0.32 loses the tied
        # embeddings of its own Llama when it saves one.
        Architecture(
            "llama",
            _qwen(keras_hub.models.QwenBackbone),
            keras_hub.models.QwenCausalLM,
            keras_hub.models.QwenCausalLMPreprocessor,
            QWEN_BLOCK,
            rotates_halves=False,
        ),
        Architecture(
            "qwen2",
            _qwen(keras_hub.models.QwenBackbone),
            keras_hub.models.QwenCausalLM,
            keras_hub.models.QwenCausalLMPreprocessor,
            QWEN_BLOCK | BIASES,
        ),
        Architecture(
            "qwen3",
            _qwen(keras_hub.models.Qwen3Backbone),
            keras_hub.models.Qwen3CausalLM,
            keras_hub.models.Qwen3CausalLMPreprocessor,
            QWEN_BLOCK
            | {
                "attn_q_norm": "query_dense_layernorm/scale",
                "attn_k_norm": "key_dense_layernorm/scale",
            },
            sizes={"head_dim": HEAD_SIZE},
        ),
        Architecture(
            "gemma3",
            _gemma3,
            keras_hub.models.Gemma3CausalLM,
            keras_hub.models.Gemma3CausalLMPreprocessor,
            GEMMA_BLOCK,
            sizes={
                "head_dim": HEAD_SIZE,
                "sliding_window_size": "attention.sliding_window",
            },
            # The wavelengths, the norms' epsilon and each sixth block's attention over
            # all of a text are written into KerasHub's layers.
            fields={
                EPSILON: (1e-6,),
                WAVELENGTH: (1e6,),
                "attention.sliding_window_pattern": (6,),
                "rope.freq_base_swa": (1e4,),
            },
            heads_first=True,
            adds_one=True,
            is_always_tied=True,
        ),
    )
}
