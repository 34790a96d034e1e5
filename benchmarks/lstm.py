"""Our CPU LSTM against Keras's, in turn: `python -m benchmarks.lstm`.

Forward and backward through one layer; ratio pair by pair, median of five, as JSON.
"""

import json
import os
import statistics
import time

import keras
import tensorflow as tf

import recipes  # noqa: F401  (quiet start of TensorFlow)
from siatl_keras.layers import LSTM

BATCH, TIME, FEATURES, UNITS = 32, 40, 256, 512
RUNS = 5


def main():
    """Measures and prints."""
    inputs = tf.random.normal([BATCH, TIME, FEATURES])
    steps = []
    for kind in (keras.layers.LSTM, LSTM):
        layer = kind(UNITS, return_sequences=True)
        layer.build(inputs.shape)
        steps.append(_step(layer))
    times = [[_seconds(step, inputs) for step in steps] for _ in range(RUNS + 1)][1:]
    result = {
        "batch": BATCH,
        "time": TIME,
        "features": FEATURES,
        "units": UNITS,
        "dtype": "float32",
        "cores": os.cpu_count(),
        "keras_ms": round(1e3 * statistics.median(t[0] for t in times), 1),
        "siatl_keras_ms": round(1e3 * statistics.median(t[1] for t in times), 1),
        "ratio": round(statistics.median(t[0] / t[1] for t in times), 2),
    }
    print(json.dumps(result, indent=2))


def _step(layer):
    @tf.function
    def step(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(layer(inputs))
        return tape.gradient(
            loss, [inputs, *[v.value for v in layer.trainable_variables]]
        )

    return step


def _seconds(step, inputs):
    started = time.perf_counter()
    for _ in range(3):
        gradients = step(inputs)
    gradients[0].numpy()
    return (time.perf_counter() - started) / 3


if __name__ == "__main__":
    main()
