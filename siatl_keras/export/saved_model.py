"""`export_saved_model`: a classifier as TF Serving takes it, strings in.

The tokenizer, its vocabulary and the names of the classes are inside; the LM head is
not. The graph runs where only TensorFlow and tensorflow_text are installed.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from siatl_keras.atomic import partial_folder, rename_folder
from siatl_keras.compat import layer_parts
from siatl_keras.export.serving_warmup import write_warmup_requests
from siatl_keras.layers import LSTM
from siatl_keras.models import SiATLClassifier
from siatl_keras.models.raw_text_task import RawTextTask
from siatl_keras.models.token_names import token_names

WARMUP_BATCHES = (1, 8, 32)


def export_saved_model(model: Any, directory: str | os.PathLike[str]) -> str:
    """Writes a SavedModel into the next free version of a folder.

    Its signatures take `text`, string `[batch]`, and for a model of pairs `text_pair`,
    the second texts; or, with a warning, `token_ids` and
    `padding_mask`, int32 `[batch, time]`, where the tokenizer runs Python code.
    `serving_default` returns what the task answers: `label` (string `[batch]`),
    `label_id` (int32 `[batch]`) and `probabilities` (float32 `[batch, classes]`) of
    classes and levels; `labels` (string `[batch]`, commas between), `is_label` (bool
    `[batch, labels]`) and `probabilities` where texts have several; `value` (float32
    `[batch]`) of a regression. `tokens`, for texts, also returns
    `tokens` (string `[batch, time]`, "" at padding) and, unless the model's pooling has
    no weights ("mean", "concat"), `attention` (float32 `[batch, time]`). Requests that
    warm the server up lie in `assets.extra`, for texts.

    Args:
        model: a `SiATLClassifier` with a preprocessor.
        directory: folder of the served model; versions are its numbered subfolders.

    Returns:
        the folder written, `<directory>/<version>`.

    Raises:
        ValueError: if the model is no classifier, or has no preprocessor.

    Example:
    >>> path = export_saved_model(model, "saved_models/sarcasm")  # doctest: +SKIP
    >>> served = tf.saved_model.load(path)  # doctest: +SKIP
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
    root = Path(directory)
    with partial_folder(root) as folder:
        with _portable_lstms(model):
            texts_in = _runs_in_graph(model.preprocessor)
            text_server = _PairServer if model.takes_pairs else _TextServer
            server = text_server(model) if texts_in else _TokenServer(model)
            signatures = {
                name: function.get_concrete_function()
                for name, function in server.functions.items()
            }
            tf.saved_model.save(server, str(folder), signatures=signatures)
        if texts_in:
            inputs = ("text", "text_pair") if model.takes_pairs else ("text",)
            write_warmup_requests(folder, WARMUP_BATCHES, inputs)
        else:
            warnings.warn(
                f"{type(model.preprocessor.tokenizer).__name__} runs Python code, "
                "which a SavedModel cannot hold: this one takes `token_ids` and "
                "`padding_mask`, as `model.preprocessor` makes them, not `text`.",
                stacklevel=2,
            )
        return str(_as_next_version(folder, root))


class _TokenServer(tf.Module):
    """What is saved: the functions, and the weights that they use."""

    def __init__(self, model: Any) -> None:
        super().__init__(name="siatl_classifier")
        self._classify_tokens = model.classify
        self._answer = model.task.served
        # An untied LM head would be saved for nothing.
        head = getattr(model.backbone.token_embedding, "reverse_embeddings", None)
        used = [*model.backbone.variables, *model.task_head.variables]
        self.weights = [variable.value for variable in used if variable is not head]
        self.functions = {"serving_default": self.classify_tokens}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.int32, name="token_ids"),
            tf.TensorSpec([None, None], tf.int32, name="padding_mask"),
        ]
    )
    def classify_tokens(
        self, token_ids: tf.Tensor, padding_mask: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        x = {"token_ids": token_ids, "padding_mask": padding_mask}
        return self._answer(self._classify_tokens(x)[0])


class _TextServer(_TokenServer):
    """The same from texts on, with the tokenizer's tables."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self._classify_texts = model.classify_texts
        self._has_attention = model.task_head.has_weights
        # Not the preprocessor itself: a byte-pair tokenizer's cache would be saved, and
        # grow with every new word.
        self._preprocess = model.preprocessor.call
        self.tables = model.preprocessor.tables
        self.words = tf.constant(token_names(model.preprocessor.tokenizer))
        self.functions = {
            "serving_default": self.classify,
            "tokens": self.classify_with_tokens,
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def classify(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._answer(self._classify_texts(text))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def classify_with_tokens(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._answer_with_tokens(text)

    def _answer_with_tokens(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        x = self._preprocess(texts)
        logits, attention = self._classify_tokens(x)
        words = tf.gather(self.words, x["token_ids"])
        real = tf.cast(x["padding_mask"], tf.bool)
        shown = {"tokens": tf.where(real, words, "")}
        if self._has_attention:
            shown["attention"] = attention
        return {**self._answer(logits), **shown}


class _PairServer(_TextServer):
    """The same for pairs, whose texts come as two inputs."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="text"),
            tf.TensorSpec([None], tf.string, name="text_pair"),
        ]
    )
    def classify(self, text: tf.Tensor, text_pair: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._answer(self._classify_texts(tf.stack([text, text_pair], 1)))

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="text"),
            tf.TensorSpec([None], tf.string, name="text_pair"),
        ]
    )
    def classify_with_tokens(
        self, text: tf.Tensor, text_pair: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        return self._answer_with_tokens(tf.stack([text, text_pair], 1))


def _runs_in_graph(preprocessor: Any) -> bool:
    """Tells whether tokenizing needs no Python."""
    texts = tf.TensorSpec([None, 2] if preprocessor.pairs else [None], tf.string)
    traced = tf.function(preprocessor.tokenize).get_concrete_function(texts)
    graph = traced.graph.as_graph_def()
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    return not any("PyFunc" in node.op for node in nodes)


def _as_next_version(folder: Path, root: Path) -> Path:
    while True:
        taken = [int(p.name) for p in root.glob("*") if p.name.isdecimal()]
        path = root / str(max(taken, default=0) + 1)
        # Another export may have come first.
        with contextlib.suppress(FileExistsError):
            rename_folder(folder, path)
            return path


@contextlib.contextmanager
def _portable_lstms(model: Any) -> Iterator[None]:
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


RawTextTask.saved_model_writer = staticmethod(export_saved_model)
