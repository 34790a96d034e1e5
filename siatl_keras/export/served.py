"""What is served, whatever the format: functions of texts or tokens, with their inputs.

The LM head has no part in it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import tensorflow as tf

from siatl_keras.compat import layer_parts
from siatl_keras.layers import LSTM
from siatl_keras.models.token_names import token_names

Answer = dict[str, tf.Tensor]


class Endpoint(NamedTuple):
    """A function that answers requests.

    Attributes:
        function: from tensors to named tensors.
        inputs: name, shape and dtype of each tensor.
    """

    function: Callable[..., Answer]
    inputs: list[tf.TensorSpec]


def text_inputs(model: Any) -> list[str]:
    """Names the inputs of texts: `text`, and `text_pair` for pairs."""
    return ["text", "text_pair"] if model.takes_pairs else ["text"]


def text_endpoints(model: Any) -> dict[str, Endpoint]:
    """Makes what answers from texts, by signature.

    `serving_default` answers; `tokens` also returns what was read, and the attention.

    Args:
        model: a `SiATLClassifier` whose preprocessor `tokenizes_in_graph`.
    """
    words = tf.constant(token_names(model.preprocessor.tokenizer))

    def classify(*texts: tf.Tensor) -> Answer:
        return model.task.served(model.classify_texts(_rows(texts)))

    def classify_with_tokens(*texts: tf.Tensor) -> Answer:
        # `call`, since calling the layer would make an export of a byte-pair tokenizer
        # hold its cache, which grows with every new word.
        x = model.preprocessor.call(_rows(texts))
        logits, attention = model.classify(x)
        real = tf.cast(x["padding_mask"], tf.bool)
        tokens = tf.where(real, tf.gather(words, x["token_ids"]), "")
        shown = {"attention": attention} if model.task_head.has_weights else {}
        return {**model.task.served(logits), "tokens": tokens, **shown}

    inputs = [tf.TensorSpec([None], tf.string, name) for name in text_inputs(model)]
    return {
        "serving_default": Endpoint(classify, inputs),
        "tokens": Endpoint(classify_with_tokens, inputs),
    }


def token_endpoints(model: Any) -> dict[str, Endpoint]:
    """Makes what answers from tokens, `serving_default`.

    Args:
        model: a `SiATLClassifier`.
    """

    def classify(token_ids: tf.Tensor, padding_mask: tf.Tensor) -> Answer:
        x = {"token_ids": token_ids, "padding_mask": padding_mask}
        return model.task.served(model.classify(x)[0])

    names = ("token_ids", "padding_mask")
    inputs = [tf.TensorSpec([None, None], tf.int32, name) for name in names]
    return {"serving_default": Endpoint(classify, inputs)}


def tokenizes_in_graph(preprocessor: Any) -> bool:
    """Tells whether tokenizing needs no Python."""
    texts = tf.TensorSpec([None, 2] if preprocessor.pairs else [None], tf.string)
    traced = tf.function(preprocessor.tokenize).get_concrete_function(texts)
    graph = traced.graph.as_graph_def()
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    return not any("PyFunc" in node.op for node in nodes)


@contextlib.contextmanager
def portable_lstms(model: Any) -> Iterator[None]:
    """Keeps cuDNN operations, which CPU servers cannot load, out of the graph."""
    lstms = [
        layer
        for part in (model.backbone, model.task_head)
        for layer in layer_parts.flatten_layers(part)
        if isinstance(layer, LSTM)
    ]
    before = [lstm.use_cudnn for lstm in lstms]
    for lstm in lstms:
        lstm.use_cudnn = False
    try:
        yield
    finally:
        for lstm, use_cudnn in zip(lstms, before, strict=True):
            lstm.use_cudnn = use_cudnn


def _rows(texts: tuple[tf.Tensor, ...]) -> tf.Tensor:
    """Joins first and second texts to pairs, if there are second ones."""
    return texts[0] if len(texts) == 1 else tf.stack(texts, 1)
