"""`export_litert`: a classifier for LiteRT, which phones and small servers have."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf

from siatl_keras.arguments import check_choice
from siatl_keras.export.litert_graph import make_convertible
from siatl_keras.export.served import (
    check_reads_texts,
    number_endpoint,
    portable_lstms,
)
from siatl_keras.export.standalone_folder import write_standalone_folder
from siatl_keras.models.raw_text_task import RawTextTask

# LiteRT takes loops over arrays of known shape alone: a signature for one text, and one
# for many, of which more than eight are no faster.
BATCH_SIZES = (1, 8)
# Of 250 words, a third of the time of one step a turn; more would lengthen short texts.
STEPS_PER_TURN = 4
WEIGHTS = ("int8", "float16", "float32")


def export_litert(
    model: Any,
    directory: str | os.PathLike[str],
    weights: str = "int8",
    model_card: str = "",
) -> str:
    """Writes a LiteRT model into the next free version of a folder.

    `model.tflite` has the signatures `answer_1` and `answer_8`, of one and of eight
    texts, which take what `tokenizer.json` says of texts: `token_ids` and
    `padding_mask`, int32 `[texts, time]`, and where words are counted beyond what the
    language model reads, `words`. They return what the task answers in numbers:
    `label_id` and `probabilities` of classes and levels, `is_label` and
    `probabilities` where texts have several labels, `value` of a regression; the names
    are in `served.json`. The folder `standalone` answers texts with nothing but numpy
    and the package ai-edge-litert: `python -m standalone "a text"`.

    Args:
        model: a `SiATLClassifier` with a preprocessor, in float32.
        directory: folder of the model; versions are its numbered subfolders.
        weights: how weights are kept. "int8": a quarter of the size, and the fastest;
            products are of whole numbers, so that probabilities move a little;
            "float16": half of the size; "float32": as they are.
        model_card: Markdown, what the model is, for README.md; "" for none.

    Returns:
        the folder written, `<directory>/<version>`.

    Raises:
        ValueError: if `weights` is another, or the model reads long texts in windows;
            see also `write_standalone_folder`.

    Example:
    >>> path = export_litert(model, "served/sarcasm")  # doctest: +SKIP
    """
    check_choice(WEIGHTS, weights=weights)
    check_reads_texts(model)
    if model.preprocessor.long_texts == "windows":
        raise ValueError(
            "LiteRT cannot run a `model` that reads long texts in windows, of which "
            'each text has its own number. Received: long_texts="windows". Export it '
            'for ONNX, or make it with `long_texts="words"`.'
        )
    return write_standalone_folder(
        model,
        directory,
        "model.tflite",
        lambda: _converted(model, weights),
        model_card,
    )


def _converted(model: Any, weights: str) -> bytes:
    # Without the model's tables of words, which no LiteRT could hold.
    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    signatures = {}
    lstms = portable_lstms(model, STEPS_PER_TURN)
    with lstms, tempfile.TemporaryDirectory() as folder:
        for size in BATCH_SIZES:
            function, inputs = number_endpoint(model, size)
            traced = tf.function(function, input_signature=inputs)
            signatures[f"answer_{size}"] = traced.get_concrete_function()
        tf.saved_model.save(module, folder, signatures)
        make_convertible(Path(folder))
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=list(signatures)
        )
        if weights != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if weights == "float16":
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()


RawTextTask.export_writers["litert"] = export_litert
