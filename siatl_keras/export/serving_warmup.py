"""Requests that TF Serving runs when it loads a model, so that no user waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from siatl_keras.extras import needed

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
    log = needed("tensorflow_serving.apis.prediction_log_pb2").PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name in inputs:
        request.inputs[name].CopyFrom(tf.make_tensor_proto([TEXT] * size))
    return log.SerializeToString()
