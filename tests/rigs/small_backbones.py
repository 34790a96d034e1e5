"""One small random instance of every KerasHub family that the classifier supports."""

import functools
import io

import keras
import keras_hub
import sentencepiece

from siatl_keras.models import SiATLClassifier, SiATLPreprocessor
from siatl_keras.models.causal_backbone import causal_lm_class, needs_fixed_length
from siatl_keras.optimizers import GroupedOptimizer

models = keras_hub.models

TEXTS = ["so glad my flight is late", "what a day", "not good", "the day is good"] * 2
LABELS = ["yes", "no", "no", "no"] * 2

LETTERS = list("abcdefghilmnoprstwyĠ")
MERGES = ["d a", "da y", "Ġ day", "g o", "o d", "go od", "Ġ good"]

SIZES = {"num_layers": 2, "hidden_dim": 8, "intermediate_dim": 16}
SAME_HEADS = {**SIZES, "num_heads": 2}
GROUPED = {**SIZES, "num_query_heads": 2, "num_key_value_heads": 1}
EXPERTS = {"num_experts": 3, "top_k": 2}
LINEAR = {
    "layer_types": ["linear_attention", "full_attention"],
    "linear_num_key_heads": 1,
    "linear_num_value_heads": 2,
    "linear_key_head_dim": 4,
    "linear_value_head_dim": 4,
    "linear_conv_kernel_dim": 2,
    "partial_rotary_factor": 0.5,
}
SHARED = {"moe_intermediate_dim": 8, "shared_expert_intermediate_dim": 8}
HEAD = {"head_dim": 4}

BACKBONES = {
    "GPT2": (models.GPT2Backbone, models.GPT2Tokenizer, SAME_HEADS),
    "GPTNeoX": (
        models.GPTNeoXBackbone,
        models.GPTNeoXTokenizer,
        {**SAME_HEADS, "rotary_percentage": 0.5},
    ),
    "OPT": (models.OPTBackbone, models.OPTTokenizer, SAME_HEADS),
    "Bloom": (models.BloomBackbone, models.BloomTokenizer, SAME_HEADS),
    "Falcon": (
        models.FalconBackbone,
        models.FalconTokenizer,
        {**SIZES, "num_attention_heads": 2},
    ),
    "Llama": (models.LlamaBackbone, models.LlamaTokenizer, GROUPED),
    "Llama3": (models.Llama3Backbone, models.Llama3Tokenizer, GROUPED),
    "Mistral": (models.MistralBackbone, models.MistralTokenizer, GROUPED),
    "Mixtral": (
        models.MixtralBackbone,
        models.MixtralTokenizer,
        {**GROUPED, **EXPERTS},
    ),
    "Gemma": (models.GemmaBackbone, models.GemmaTokenizer, {**GROUPED, **HEAD}),
    "Gemma2": (
        models.GemmaBackbone,
        models.GemmaTokenizer,
        {
            **GROUPED,
            **HEAD,
            "final_logit_soft_cap": 2.0,
            "attention_logit_soft_cap": 5.0,
            "use_sliding_window_attention": True,
            "use_post_ffw_norm": True,
            "use_post_attention_norm": True,
        },
    ),
    "Gemma3": (
        models.Gemma3Backbone,
        functools.partial(models.Gemma3Tokenizer, has_vision_tokens=False),
        {**GROUPED, **HEAD, "image_size": 16, "final_logit_soft_cap": 3.0},
    ),
    "Phi3": (models.Phi3Backbone, models.Phi3Tokenizer, GROUPED),
    "Qwen": (models.QwenBackbone, models.QwenTokenizer, GROUPED),
    "Qwen3": (models.Qwen3Backbone, models.Qwen3Tokenizer, {**GROUPED, **HEAD}),
    "QwenMoe": (
        models.QwenMoeBackbone,
        models.QwenMoeTokenizer,
        {**GROUPED, **EXPERTS, **SHARED},
    ),
    "Qwen3Moe": (
        models.Qwen3MoeBackbone,
        models.Qwen3MoeTokenizer,
        {**GROUPED, **EXPERTS, **HEAD, "moe_intermediate_dim": 8},
    ),
    "Qwen3_5": (
        models.Qwen3_5Backbone,
        functools.partial(models.Qwen3_5Tokenizer, has_vision_tokens=False),
        {**GROUPED, **HEAD, **LINEAR},
    ),
    "Qwen3_5Moe": (
        models.Qwen3_5MoeBackbone,
        functools.partial(models.Qwen3_5MoeTokenizer, has_vision_tokens=False),
        {
            **{k: v for k, v in GROUPED.items() if k != "intermediate_dim"},
            **EXPERTS,
            **HEAD,
            **LINEAR,
            "moe_intermediate_dim": 8,
            "shared_expert_intermediate_size": 8,
        },
    ),
    "GptOss": (
        models.GptOssBackbone,
        models.GptOssTokenizer,
        {**GROUPED, **EXPERTS},
    ),
    "SmolLM3": (
        models.SmolLM3Backbone,
        models.SmolLM3Tokenizer,
        {
            **SIZES,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "attention_bias": False,
            "attention_dropout": 0.0,
            "rope_layer_enabled_list": [True, False],
            "layer_types": ["full_attention", "full_attention"],
            "mlp_bias": False,
            "layer_norm_epsilon": 1e-6,
            "max_position_embeddings": 64,
            "rope_theta": 10000.0,
            "partial_rotary_factor": 1.0,
        },
    ),
}


def small_tokenizer(family):
    """Makes the family's tokenizer for the letters of `TEXTS`, and a few words."""
    make = BACKBONES[family][1]
    parent = getattr(make, "func", make)
    if issubclass(parent, keras_hub.tokenizers.SentencePieceTokenizer):
        special = make(proto=None)
        return make(proto=_proto(special.start_token, special.end_token))
    words = [*LETTERS, *(merge.replace(" ", "") for merge in MERGES)]
    words = [*dict.fromkeys([*sorted(make().special_tokens), *words])]
    return make(vocabulary={word: i for i, word in enumerate(words)}, merges=MERGES)


@functools.cache
def _proto(start_token, end_token):
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_writer=file,
        vocab_size=40,
        hard_vocab_limit=False,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        pad_piece="<pad>",
        bos_piece=start_token,
        eos_piece=end_token,
        minloglevel=2,
    )
    return file.getvalue()


def small_backbone(family, **kwargs):
    """Makes the family's backbone, with random weights, for `small_tokenizer`."""
    make, _, arguments = BACKBONES[family]
    keras.utils.set_random_seed(3)
    vocabulary_size = small_tokenizer(family).vocabulary_size()
    return make(vocabulary_size=vocabulary_size, **{**arguments, **kwargs})


def small_causal_lm(family, **kwargs):
    """Makes KerasHub's own language model on `small_backbone`, from strings."""
    backbone = small_backbone(family, **kwargs)
    causal_lm = causal_lm_class(backbone)
    preprocessor = causal_lm.preprocessor_cls(
        small_tokenizer(family), sequence_length=12
    )
    return causal_lm(backbone=backbone, preprocessor=preprocessor)


def with_classes_apart(model):
    """Gives the classes weights, which start at zero, so that texts can differ."""
    kernel = model.task_head.classes.kernel
    kernel.assign(keras.initializers.GlorotUniform(seed=5)(kernel.shape))
    return model


def small_classifier(family, backbone=None, **kwargs):
    backbone = small_backbone(family) if backbone is None else backbone
    model = SiATLClassifier(
        backbone,
        preprocessor=SiATLPreprocessor(
            small_tokenizer(family),
            16,
            pad_to_sequence_length=needs_fixed_length(backbone),
        ),
        label_names=["no", "yes"],
        **kwargs,
    )
    model.compile(two_optimizers())
    return with_classes_apart(model)


def two_optimizers():
    sgd = keras.optimizers.SGD(0.1)
    adam = keras.optimizers.Adam(0.01)
    return GroupedOptimizer({"task": adam, "backbone": sgd, "embedding": sgd})
