"""What a causal language model's backbone shares: its head, and its `CausalLM`.

KerasHub's causal backbones differ in their blocks alone: token ids and a padding mask
go in, hidden states come out, and `token_embedding` turns these into logits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import keras_hub
import tensorflow as tf

INPUTS = {"token_ids", "padding_mask"}
# Families whose layers cannot be traced for texts of any length: they loop over chunks
# of the text in Python.
FIXED_LENGTH = (
    keras_hub.models.Qwen3_5Backbone,
    keras_hub.models.Qwen3_5MoeBackbone,
)


class OutputWeights(NamedTuple):
    """The LM head's weights of a reversible embedding.

    Attributes:
        kernel: `[vocabulary, embedding]`.
        bias: `[vocabulary]`, or `None`.
        soft_cap: float, logits are `soft_cap * tanh(product / soft_cap) + bias`; `None`
            for no cap.
    """

    kernel: tf.Tensor
    bias: tf.Tensor | None
    soft_cap: float | None


def output_weights(embedding: Any) -> OutputWeights:
    """Returns the weights that give the same logits as `reverse=True`.

    An int8 kernel is given in floats. Keras's own head rounds the hidden states to int8
    too, so that its logits of a quantised model differ by that rounding.

    Args:
        embedding: a `keras.layers.ReversibleEmbedding`, tied or not.

    Raises:
        ValueError: if it is quantised otherwise than to int8.
    """
    if embedding.tie_weights:
        kernel = tf.convert_to_tensor(embedding.embeddings)
    else:
        kernel = tf.transpose(tf.convert_to_tensor(embedding.reverse_embeddings))
    if embedding.quantization_mode == "int8":
        tied = embedding.tie_weights
        scale = (
            embedding.embeddings_scale if tied else embedding.reverse_embeddings_scale
        )
        kernel = tf.cast(kernel, embedding.compute_dtype)
        kernel /= tf.cast(scale, kernel.dtype)[:, tf.newaxis]
    elif embedding.quantization_mode is not None:
        raise ValueError(
            "`backbone` may be quantised to int8. Received one quantised to "
            f"{embedding.quantization_mode}: its LM loss cannot be computed."
        )
    bias = getattr(embedding, "reverse_bias", None)
    return OutputWeights(
        kernel,
        None if bias is None else tf.convert_to_tensor(bias),
        embedding.logit_soft_cap,
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
