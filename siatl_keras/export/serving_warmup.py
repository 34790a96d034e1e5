"""Requests that TF Serving runs when it loads a model, so that no user waits for it.

The format is TF Serving's `PredictionLog` protocol message. Its Python package brings
a gRPC client along; the five fields needed are made here as a dynamic message.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SIGNATURES = ("serving_default", "tokens")
TEXT = "A short sentence, such as people send to be classified!"


def write_warmup_requests(
    folder: str | Path, batch_sizes: Sequence[int], inputs: Sequence[str] = ("text",)
) -> None:
    """Writes `assets.extra/tf_serving_warmup_requests` into a SavedModel's folder.

    Args:
        folder: the SavedModel's folder.
        batch_sizes: a request of each size is written for each signature.
        inputs: names of the signatures' inputs, all texts.
    """
    path = Path(folder) / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature in SIGNATURES:
            for size in batch_sizes:
                writer.write(_prediction_log(signature, inputs, size))


def _prediction_log(signature: str, inputs: Sequence[str], size: int) -> bytes:
    log = _PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name in inputs:
        request.inputs[name].CopyFrom(tf.make_tensor_proto([TEXT] * size))
    return log.SerializeToString()


def _prediction_log_class() -> Any:
    """Declares `tensorflow.serving.PredictionLog` as far as it is used here.

    Field numbers from TF Serving's prediction_log.proto, predict.proto, model.proto.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name="siatl_keras/prediction_log.proto",
        package="siatl_keras",
        syntax="proto3",
        dependency=["tensorflow/core/framework/tensor.proto"],
    )
    text, message = (
        descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
        descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE,
    )

    def add(parent: Any, name: str, fields: Any) -> Any:
        declared = parent.add(name=name)
        for field, number, kind, type_name, repeated in fields:
            declared.field.add(
                name=field,
                number=number,
                type=kind,
                type_name=type_name,
                label=3 if repeated else 1,
            )
        return declared

    tensor = ".tensorflow.TensorProto"
    here = ".siatl_keras."
    types = file.message_type
    add(types, "ModelSpec", [("signature_name", 3, text, None, False)])
    request = add(
        types,
        "PredictRequest",
        [
            ("model_spec", 1, message, here + "ModelSpec", False),
            ("inputs", 2, message, here + "PredictRequest.InputsEntry", True),
        ],
    )
    entry = add(
        request.nested_type,
        "InputsEntry",
        [("key", 1, text, None, False), ("value", 2, message, tensor, False)],
    )
    entry.options.map_entry = True
    add(
        types,
        "PredictLog",
        [("request", 1, message, here + "PredictRequest", False)],
    )
    add(
        types,
        "PredictionLog",
        [("predict_log", 6, message, here + "PredictLog", False)],
    )
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("siatl_keras.PredictionLog")
    )


_PredictionLog = _prediction_log_class()
