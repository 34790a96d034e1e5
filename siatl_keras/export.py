"""`export_saved_model`: a classifier as TF Serving takes it, strings in.

The normaliser, the vocabulary and the names of the classes are inside; the LM head is
not. The graph runs where only TensorFlow and tensorflow_text are installed.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from siatl_keras import _keras_internals
from siatl_keras.atomic import new_folder
from siatl_keras.layers import LSTM
from siatl_keras.serving_warmup import write_warmup_requests

WARMUP_BATCHES = (1, 8, 32)


def export_saved_model(model: Any, directory: str | os.PathLike[str]) -> str:
    """Writes a SavedModel into the next free version of a folder.

    Its signatures take `text`, string `[batch]`. `serving_default` returns `label`
    (string `[batch]`), `label_id` (int32 `[batch]`) and `probabilities` (float32
    `[batch, classes]`); `tokens` also `tokens` (string `[batch, time]`, "" at padding)
    and, unless the model's pooling is "concat", which has none, `attention` (float32
    `[batch, time]`). Requests that warm the server up lie in
    `assets.extra`.

    Args:
        model: a `SiATLClassifier` with a preprocessor.
        directory: folder of the served model; versions are its numbered subfolders.

    Returns:
        the folder written, `<directory>/<version>`.

    Raises:
        ValueError: if the model has no preprocessor.

    Example:
    >>> path = export_saved_model(model, "saved_models/sarcasm")  # doctest: +SKIP
    >>> served = tf.saved_model.load(path)  # doctest: +SKIP
    """
    if model.preprocessor is None:
        raise ValueError(
            "`model` needs a preprocessor to be exported with strings as inputs. "
            "Build it with `preprocessor=SiATLPreprocessor(tokenizer)`."
        )
    root = Path(directory)
    path = root / str(_next_version(root))
    with new_folder(path) as folder:
        with _portable_lstms(model):
            server = _Server(model)
            signatures = {
                "serving_default": server.classify.get_concrete_function(),
                "tokens": server.classify_with_tokens.get_concrete_function(),
            }
            tf.saved_model.save(server, str(folder), signatures=signatures)
        write_warmup_requests(folder, WARMUP_BATCHES)
    return str(path)


class _Server(tf.Module):
    """What is saved: the functions, and the weights and tables that they use."""

    def __init__(self, model: Any) -> None:
        super().__init__(name="siatl_classifier")
        self._classify_texts = model.classify_texts
        self._classify_tokens = model.classify
        self._has_attention = model.task_head.has_weights
        self._preprocess = model.preprocessor
        vocabulary = model.preprocessor.tokenizer.get_vocabulary()
        self.tokenizer = model.preprocessor.tokenizer
        self.words = tf.constant(vocabulary)
        self.label_names = tf.constant(model.label_names)
        used = [*model.backbone.variables, *model.task_head.variables]
        self.weights = [variable.value for variable in used]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def classify(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._answer(self._classify_texts(text))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def classify_with_tokens(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        x = self._preprocess(text)
        logits, attention = self._classify_tokens(x)
        words = tf.gather(self.words, x["token_ids"])
        real = tf.cast(x["padding_mask"], tf.bool)
        shown = {"tokens": tf.where(real, words, "")}
        if self._has_attention:
            shown["attention"] = attention
        return {**self._answer(logits), **shown}

    def _answer(self, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        label_id = tf.argmax(logits, -1, output_type=tf.int32)
        return {
            "label": tf.gather(self.label_names, label_id),
            "label_id": label_id,
            "probabilities": tf.nn.softmax(logits),
        }


def _next_version(root: Path) -> int:
    taken = [int(p.name) for p in root.glob("*") if p.name.isdecimal()]
    return max(taken, default=0) + 1


@contextlib.contextmanager
def _portable_lstms(model: Any) -> Iterator[None]:
    """Keeps cuDNN operations, which CPU servers cannot load, out of the graph."""
    lstms = [
        layer
        for part in (model.backbone, model.task_head)
        for layer in _keras_internals.flatten_layers(part)
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
