"""Which backbones are a causal language model's, and which `CausalLM` is theirs.

KerasHub's causal backbones differ in their blocks alone: token ids and a padding mask
go in, hidden states come out, and `token_embedding` turns these into logits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import keras_hub

INPUTS = {"token_ids", "padding_mask"}
# Families whose layers cannot be traced for texts of any length: they loop over chunks
# of the text in Python.
FIXED_LENGTH = (
    keras_hub.models.Qwen3_5Backbone,
    keras_hub.models.Qwen3_5MoeBackbone,
)


def causal_lm_class(backbone: Any) -> Any:
    """Finds the `CausalLM` of a backbone's family.

    Args:
        backbone: a backbone.

    Returns:
        the subclass of `keras_hub.models.CausalLM`, or `None` if there is none.
    """
    # KerasHub's encoder-decoders are causal language models by inheritance alone.
    classes = [
        causal_lm
        for causal_lm in _subclasses(keras_hub.models.CausalLM)
        if not issubclass(causal_lm, keras_hub.models.Seq2SeqLM)
    ]
    # A backbone's own class before its parents': Llama 3's is a Llama's too.
    for parent in type(backbone).__mro__:
        for causal_lm in classes:
            if causal_lm.backbone_cls is parent:
                return causal_lm
    return None


def causal_lm_of(backbone: Any, preprocessor: Any) -> Any:
    """Makes the language model of a backbone, on the same weights.

    Args:
        backbone: a causal backbone.
        preprocessor: the `SiATLPreprocessor` whose tokens it reads, or `None`.

    Returns:
        a `keras_hub.models.CausalLM`.
    """
    causal_lm = causal_lm_class(backbone)
    if preprocessor is not None:
        preprocessor = causal_lm.preprocessor_cls(
            preprocessor.tokenizer,
            sequence_length=preprocessor.sequence_length,
            add_start_token=preprocessor.add_start_token,
            add_end_token=preprocessor.add_end_token,
        )
    return causal_lm(backbone=backbone, preprocessor=preprocessor)


def needs_fixed_length(backbone: Any) -> bool:
    """Tells whether a backbone takes texts of one length only in a graph.

    Args:
        backbone: a backbone.
    """
    return isinstance(backbone, FIXED_LENGTH)


def check_causal(backbone: Any, preprocessor: Any) -> None:
    """Checks that a backbone is one of a text-only causal language model.

    Args:
        backbone: a backbone.
        preprocessor: the `SiATLPreprocessor` of its texts, or `None`.

    Raises:
        ValueError: if not; the message says what is missing, and what to use.
    """
    name = type(backbone).__name__
    if causal_lm_class(backbone) is None:
        raise ValueError(
            "`backbone` must be a causal language model's backbone: the auxiliary loss "
            f"predicts the next token. Received: {name}, for which no "
            "`keras_hub.models.CausalLM` exists (encoders, such as BERT, and "
            "encoder-decoders have none). Use a causal backbone, such as "
            "`keras_hub.models.GPT2Backbone`; or, without an auxiliary loss, "
            "`keras_hub.models.TextClassifier`."
        )
    if not isinstance(
        getattr(backbone, "token_embedding", None), keras.layers.ReversibleEmbedding
    ):
        raise ValueError(
            "`backbone` must be a causal language model's backbone whose output is "
            "hidden states and whose reversible `token_embedding` turns them into "
            f"logits. Received: {name}, which has no such layer. Use another family, "
            "such as `keras_hub.models.GPT2Backbone`."
        )
    inputs = backbone.input
    names = set(inputs) if isinstance(inputs, dict) else {inputs.name}
    if names != INPUTS:
        raise ValueError(
            "`backbone` must be a causal language model's backbone that reads text "
            f"alone: its inputs are {sorted(INPUTS)}. Received: {name} with "
            f"{sorted(names)}. Use a text-only one: for models that also read images, "
            "`vision_encoder=None`."
        )
    if not isinstance(backbone.output, keras.KerasTensor):
        raise ValueError(
            "`backbone` must be a causal language model's backbone with one output, "
            f"its hidden states. Received: {name} with {sorted(backbone.output)}: it "
            "was made to embed texts."
        )
    if (
        needs_fixed_length(backbone)
        and preprocessor is not None
        and not preprocessor.pad_to_sequence_length
    ):
        raise ValueError(
            f"`preprocessor` must pad all texts to one length: {name} can be traced "
            "for nothing else. Make it with `pad_to_sequence_length=True`."
        )


def _subclasses(parent: Any) -> Iterator[Any]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)
