"""`export_onnx`: a classifier for ONNX Runtime."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf

from siatl_keras.export.served import number_endpoint, portable_lstms
from siatl_keras.export.standalone_folder import write_standalone_folder
from siatl_keras.extras import needed
from siatl_keras.models.raw_text_task import RawTextTask

OPSET = 18


def export_onnx(
    model: Any, directory: str | os.PathLike[str], model_card: str = ""
) -> str:
    """Writes an ONNX model into the next free version of a folder.

    `model.onnx` takes any number of texts, as `tokenizer.json` says of them, and
    returns what the task answers in numbers; see `export_litert` for both. The folder
    `standalone` answers texts with nothing but numpy and onnxruntime:
    `python -m standalone "a text"`. Weights are float32.

    Args:
        model: a `SiATLClassifier` with a preprocessor, in float32.
        directory: folder of the model; versions are its numbered subfolders.
        model_card: Markdown, what the model is, for README.md; "" for none.

    Returns:
        the folder written, `<directory>/<version>`.

    Raises:
        MissingExtraError: if tf2onnx is not installed.
        ValueError: see `write_standalone_folder`.

    Example:
    >>> path = export_onnx(model, "served/sarcasm")  # doctest: +SKIP
    """
    convert = needed("tf2onnx.convert")

    def converted() -> bytes:
        function, inputs = number_endpoint(model)
        with portable_lstms(model):
            traced = tf.function(function, input_signature=inputs)
            onnx_model, _ = convert.from_function(traced, inputs, opset=OPSET)
        return onnx_model.SerializeToString()

    return write_standalone_folder(
        model, directory, "model.onnx", converted, model_card
    )


RawTextTask.export_writers["onnx"] = export_onnx
