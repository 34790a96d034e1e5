"""Texts per second and latency of an exported model, in process.

`python -m benchmarks.serving.in_process`, on the shipped language model: strings in,
through the SavedModel's signature.
"""

import statistics
import tempfile
import time

import tensorflow as tf

from benchmarks import report
from benchmarks.tweets import texts
from siatl_keras.export import export_saved_model
from siatl_keras.models import SiATLClassifier

LM = "saved_models/tweets_lstm_small_en"
BATCH = 256
TEXTS = 5_120
CALLS = 1_000


def measure():
    """Measures whole batches, and texts one by one."""
    model = SiATLClassifier.from_preset(LM, num_classes=2)
    with tempfile.TemporaryDirectory() as folder:
        path = export_saved_model(model, folder)
        served = tf.saved_model.load(path).signatures["serving_default"]
    lines = texts(TEXTS)
    batches = [tf.constant(lines[i : i + BATCH]) for i in range(0, TEXTS, BATCH)]
    singles = [tf.constant([line]) for line in lines[:CALLS]]
    by_batch = [_seconds(served, batches) for _ in range(6)][1:]
    for single in singles[:50]:
        served(text=single)
    by_text = sorted(_seconds(served, [single]) for single in singles)
    request, batch = (
        sorted(_loop_seconds(predict, lines[:CALLS]))
        for predict in (
            lambda texts: model.predict(texts, verbose=0),
            model.predict_on_batch,
        )
    )
    in_memory = [_predict_seconds(model, lines) for _ in range(6)][1:]
    units = {"count": TEXTS, "name": "texts"}
    return [
        _row(f"SavedModel, batches of {BATCH}", statistics.median(by_batch), units),
        _row("SavedModel, one text, median", by_text[CALLS // 2]),
        _row("SavedModel, one text, 99th percentile", by_text[CALLS * 99 // 100]),
        _row("`predict`, one text, median", request[CALLS // 2]),
        _row("`predict_on_batch`, one text, median", batch[CALLS // 2]),
        _row(f"`predict`, {TEXTS} texts", statistics.median(in_memory), units),
    ]


def _row(work, seconds, units=None):
    return {"work": work, "units": units, "seconds": {"ours": seconds}}


def _seconds(served, batches):
    started = time.perf_counter()
    for batch in batches:
        served(text=batch)["probabilities"].numpy()
    return time.perf_counter() - started


def _loop_seconds(predict, lines):
    for line in lines[:50]:
        predict([line])
    seconds = []
    for line in lines:
        started = time.perf_counter()
        predict([line])
        seconds.append(time.perf_counter() - started)
    return seconds


def _predict_seconds(model, lines):
    started = time.perf_counter()
    model.predict(lines, batch_size=BATCH, verbose=0)
    return time.perf_counter() - started


if __name__ == "__main__":
    report.show("in_process", measure())
