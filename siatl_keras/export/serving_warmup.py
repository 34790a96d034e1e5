"""Requests that TF Serving runs when it loads a model, so that no user waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from siatl_keras.extras import needed

TEXT = "A short sentence, such as people send to be classified!"


def write_warmup_requests(
    folder: Path,
    batch_sizes: Sequence[int],
    inputs: Sequence[str],
    signatures: Sequence[str],
) -> None:
    """Writes `tf_serving_warmup_requests` into a SavedModel's `assets.extra`.

    Args:
        folder: `assets.extra`.
        batch_sizes: a request of each size is written for each signature.
        inputs: names of the signatures' inputs, all texts.
        signatures: their names; `classify` and `regress` take the inputs as examples.
    """
    logs = needed("tensorflow_serving.apis.prediction_log_pb2")
    with tf.io.TFRecordWriter(str(folder / "tf_serving_warmup_requests")) as writer:
        for signature in signatures:
            for size in batch_sizes:
                log = logs.PredictionLog()
                request = _request(log, signature, inputs, size)
                request.model_spec.signature_name = signature
                writer.write(log.SerializeToString())


def _request(log: Any, signature: str, inputs: Sequence[str], size: int) -> Any:
    """Sets the request of a log, and returns it."""
    if signature not in ("classify", "regress"):
        request = log.predict_log.request
        for name in inputs:
            request.inputs[name].CopyFrom(tf.make_tensor_proto([TEXT] * size))
        return request
    request = getattr(log, f"{signature}_log").request
    for _ in range(size):
        example = request.input.example_list.examples.add()
        for name in inputs:
            example.features.feature[name].bytes_list.value.append(TEXT.encode())
    return request
