"""What is served, whatever the format: functions of texts or tokens, with their inputs.

The LM head has no part in it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from siatl_keras.compat import layer_parts
from siatl_keras.layers import LSTM
from siatl_keras.models import SiATLClassifier
from siatl_keras.models.token_names import token_names

Answer = dict[str, tf.Tensor]

# What is shown of a byte that the vocabulary lacks, which has no number.
UNKNOWN = "\ufffd"


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


def text_endpoints(model: Any, top_k: int) -> dict[str, Endpoint]:
    """Makes what answers from texts, by signature.

    `serving_default` answers; `tokens` also returns what was read, and the attention.
    Of labels, `top_k` returns the most probable ones, and `classify` all of them, to
    requests of TF Serving's Classify API; `regress` is the Regress API's.

    Args:
        model: a `SiATLClassifier` whose preprocessor `tokenizes_in_graph`.
        top_k: int, how many labels `top_k` returns, if there are so many.
    """
    words = tf.constant(token_names(model.preprocessor.tokenizer))
    names = text_inputs(model)
    inputs = [tf.TensorSpec([None], tf.string, name) for name in names]

    # All signatures call this one graph, but for that of `tokens`.
    @tf.function(input_signature=inputs)
    def answer(*texts: tf.Tensor) -> Answer:
        return model.task.served(model.classify_texts(_rows(texts)))

    def answer_with_tokens(*texts: tf.Tensor) -> Answer:
        # `call`, since calling the layer would make an export of a byte-pair tokenizer
        # hold its cache, which grows with every new word.
        x = model.preprocessor.call(_rows(texts))
        logits, attention = model.classify(x)
        ids = x["token_ids"]
        known = tf.where(ids < 0, UNKNOWN, tf.gather(words, tf.maximum(ids, 0)))
        tokens = tf.where(tf.cast(x["padding_mask"], tf.bool), known, "")
        shown = {"attention": attention} if model.task_head.has_weights else {}
        return {**model.task.served(logits), "tokens": tokens, **shown}

    endpoints = {
        "serving_default": Endpoint(answer, inputs),
        "tokens": Endpoint(answer_with_tokens, inputs),
    }
    if model.label_names:
        endpoints["top_k"] = _top_k(model, answer, inputs, top_k)
    return endpoints | _example_endpoint(model, answer, names)


def _example_endpoint(
    model: Any, answer: Callable[..., Answer], names: list[str]
) -> dict[str, Endpoint]:
    """Makes what TF Serving's Classify or Regress API asks, with `tf.train.Example`s.

    Args:
        model: a `SiATLClassifier`.
        answer: function that answers texts.
        names: of its inputs, and of the features.
    """
    # A text that is missing is empty: an error would be that of all requests which the
    # server has put into the same batch.
    features = {name: tf.io.FixedLenFeature([], tf.string, "") for name in names}

    def answer_examples(examples: tf.Tensor) -> Answer:
        texts = tf.io.parse_example(examples, features)
        return answer(*(texts[name] for name in names))

    def classify(examples: tf.Tensor) -> Answer:
        labels = model.label_names
        classes, scores = _most_probable(labels, answer_examples(examples), len(labels))
        return {"classes": classes, "scores": scores}

    def regress(examples: tf.Tensor) -> Answer:
        return {"outputs": answer_examples(examples)["value"]}

    inputs = [tf.TensorSpec([None], tf.string, "inputs")]
    if model.label_names:
        return {"classify": Endpoint(classify, inputs)}
    return {"regress": Endpoint(regress, inputs)}


def _top_k(
    model: Any, answer: Callable[..., Answer], inputs: list[tf.TensorSpec], count: int
) -> Endpoint:
    def most_probable(*tensors: tf.Tensor) -> Answer:
        labels, shares = _most_probable(model.label_names, answer(*tensors), count)
        return {"labels": labels, "probabilities": shares}

    return Endpoint(most_probable, inputs)


def _most_probable(
    names: Sequence[str], answer: Answer, count: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Sorts labels; returns names, and probabilities, each `[batch, count]`."""
    found = tf.math.top_k(answer["probabilities"], min(count, len(names)))
    return tf.gather(tf.constant(list(names)), found.indices), found.values


def token_inputs(model: Any) -> list[str]:
    """Names what a model reads of texts, each int32 `[batch, time]`."""
    counts_more = model.word_scores and model.preprocessor.long_texts == "words"
    return ["token_ids", "padding_mask", *(["words"] if counts_more else [])]


def token_endpoints(model: Any, top_k: int) -> dict[str, Endpoint]:
    """Makes what answers from tokens, `serving_default`, and of labels `top_k`.

    Args:
        model: a `SiATLClassifier` with a preprocessor.
        top_k: as for `text_endpoints`.
    """
    answer, inputs = _token_endpoint(model)
    endpoints = {"serving_default": Endpoint(answer, inputs)}
    if model.label_names:
        endpoints["top_k"] = _top_k(model, answer, inputs, top_k)
    return endpoints


def _token_endpoint(model: Any) -> Endpoint:
    names = token_inputs(model)

    def classify(*tensors: tf.Tensor) -> Answer:
        x = dict(zip(names, tensors, strict=True))
        return model.task.served(model.classify(x)[0])

    inputs = [tf.TensorSpec([None, None], tf.int32, name) for name in names]
    return Endpoint(classify, inputs)


def number_endpoint(model: Any, batch_size: int | None = None) -> Endpoint:
    """Makes what answers from tokens in numbers, for formats that know no strings.

    Args:
        model: a `SiATLClassifier` with a preprocessor.
        batch_size: texts of a request; `None` for any number.
    """
    classify, inputs = _token_endpoint(model)

    def classify_in_numbers(*tensors: tf.Tensor) -> Answer:
        answer = classify(*tensors)
        return {k: value for k, value in answer.items() if value.dtype != tf.string}

    shape = [batch_size, None]
    inputs = [tf.TensorSpec(shape, each.dtype, each.name) for each in inputs]
    return Endpoint(classify_in_numbers, inputs)


def description(model: Any) -> dict[str, Any]:
    """Describes what is served, for programs that ask.

    Args:
        model: a `SiATLClassifier` with a preprocessor.

    Returns:
        dict of `labels`, their names in the order of the probabilities; `task`, its
        kind and settings, such as temperature; `pairs`, whether it takes pairs.
    """
    return {
        "labels": list(model.label_names),
        "task": {"kind": type(model.task).__name__, **model.task.get_config()},
        "pairs": model.takes_pairs,
    }


def check_reads_texts(model: Any) -> None:
    """Refuses what no format can be made of.

    Args:
        model: anything.

    Raises:
        ValueError: if it is no classifier, or has no preprocessor.
    """
    if not isinstance(model, SiATLClassifier):
        raise ValueError(
            f"`model` must be a `SiATLClassifier`. Received: {model!r:.80}."
        )
    if model.preprocessor is None:
        raise ValueError(
            "`model` needs a preprocessor to be exported with strings as inputs. "
            "Build it with `preprocessor=SiATLPreprocessor(tokenizer)`."
        )


def tokenizes_in_graph(preprocessor: Any) -> bool:
    """Tells whether tokenizing needs no Python."""
    texts = tf.TensorSpec([None, 2] if preprocessor.pairs else [None], tf.string)
    traced = tf.function(preprocessor.tokenize).get_concrete_function(texts)
    graph = traced.graph.as_graph_def()
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    return not any("PyFunc" in node.op for node in nodes)


@contextlib.contextmanager
def portable_lstms(model: Any, steps_per_turn: int = 1) -> Iterator[None]:
    """Keeps cuDNN operations, which CPU servers cannot load, out of the graph.

    Args:
        model: a `SiATLClassifier`.
        steps_per_turn: of the loops of its LSTMs.
    """
    lstms = [
        layer
        for part in (model.backbone, model.task_head)
        for layer in layer_parts.flatten_layers(part)
        if isinstance(layer, LSTM)
    ]
    before = [lstm.use_cudnn for lstm in lstms]
    for lstm in lstms:
        lstm.use_cudnn, lstm.steps_per_turn = False, steps_per_turn
    try:
        yield
    finally:
        for lstm, use_cudnn in zip(lstms, before, strict=True):
            lstm.use_cudnn, lstm.steps_per_turn = use_cudnn, 1


def _rows(texts: tuple[tf.Tensor, ...]) -> tf.Tensor:
    """Joins first and second texts to pairs, if there are second ones."""
    return texts[0] if len(texts) == 1 else tf.stack(texts, 1)
