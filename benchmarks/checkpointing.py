"""Memory and time of gradient checkpointing: `python -m benchmarks.checkpointing`.

Trains a GPT-2 of 16 blocks for a few steps, each way in a process of its own, and
prints the peak of memory above what it was before, the time of a step, and the loss.
"""

import subprocess
import sys
import time
from pathlib import Path

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from siatl_keras.models import SiATLClassifier

ROWS, LENGTH, WORDS = 16, 256, 1_000
STEPS = 5


class StepTimes(keras.callbacks.Callback):
    """Notes when each step ended."""

    def __init__(self):
        super().__init__()
        self.ends = []

    def on_train_batch_end(self, batch, logs=None):
        """Notes it."""
        self.ends.append(time.perf_counter())


def peak_megabytes():
    """Reads the peak of this process's memory; `getrusage` begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1_024


def measure(checkpointing):
    """Trains; returns megabytes, seconds a step, and the loss."""
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.GPT2Backbone(
        vocabulary_size=WORDS,
        num_layers=16,
        num_heads=4,
        hidden_dim=256,
        intermediate_dim=1_024,
        dropout=0.1,
        max_sequence_length=LENGTH,
    )
    model = SiATLClassifier(
        backbone, num_classes=2, gradient_checkpointing=checkpointing
    )
    model.compile("sgd")
    random = np.random.default_rng(0)
    tokens = random.integers(1, WORDS, (ROWS, LENGTH)).astype("int32")
    batch = (
        {"token_ids": tokens, "padding_mask": np.ones_like(tokens)},
        {"task": tokens[:, 0] % 2, "lm": tokens},
        {"task": np.ones(ROWS, "float32"), "lm": np.ones((ROWS, LENGTH), "float32")},
    )
    times = StepTimes()
    before = peak_megabytes()
    data = tf.data.Dataset.from_tensors(batch).repeat(STEPS)
    history = model.fit(data, verbose=0, callbacks=[times]).history
    peak = peak_megabytes() - before
    return peak, np.median(np.diff(times.ends)), history["loss"][0]


def main():
    """Measures both ways, or the one that is asked for."""
    if len(sys.argv) > 1:
        print(*measure(sys.argv[1] == "on"))
        return
    for name in ("off", "on"):
        command = [sys.executable, "-m", "benchmarks.checkpointing", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        megabytes, seconds, loss = map(float, done.stdout.split()[-3:])
        print(f"{name:>3}: {megabytes:6.0f} MB, {seconds:.2f} s a step, loss {loss}")


if __name__ == "__main__":
    main()
