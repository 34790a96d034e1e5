"""Memory and time of gradient checkpointing: `python -m benchmarks.checkpointing`.

Trains a GPT-2 of 16 blocks for a few steps, each way in a process of its own, and
prints the peak of memory above what it was before, the time of a step, and the loss.
"""

import subprocess
import sys
import time

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from benchmarks.contest import memory_status, reset_peak_memory
from siatl_keras.models import SiATLClassifier

ROWS, WORDS = 16, 1_000


class StepTimes(keras.callbacks.Callback):
    """Notes when each step ended."""

    def __init__(self):
        super().__init__()
        self.ends = []

    def on_train_batch_end(self, batch, logs=None):
        """Notes it."""
        self.ends.append(time.perf_counter())


def measure(checkpointing, layers=16, width=256, length=256, steps=5):
    """Trains; returns megabytes, seconds per step, and the loss."""
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.GPT2Backbone(
        vocabulary_size=WORDS,
        num_layers=layers,
        num_heads=4,
        hidden_dim=width,
        intermediate_dim=4 * width,
        dropout=0.1,
        max_sequence_length=length,
    )
    model = SiATLClassifier(
        backbone, num_classes=2, gradient_checkpointing=checkpointing
    )
    model.tokens_at_once = None  # Which saves memory, too.
    model.compile("sgd")
    random = np.random.default_rng(0)
    tokens = random.integers(1, WORDS, (ROWS, length)).astype("int32")
    batch = (
        {"token_ids": tokens, "padding_mask": np.ones_like(tokens)},
        {"task": tokens[:, 0] % 2, "lm": tokens},
        {"task": np.ones(ROWS, "float32"), "lm": np.ones((ROWS, length), "float32")},
    )
    times = StepTimes()
    before = reset_peak_memory()
    data = tf.data.Dataset.from_tensors(batch).repeat(steps)
    history = model.fit(data, verbose=0, callbacks=[times]).history
    peak = memory_status("VmHWM") - before
    return peak / 1_024, np.median(np.diff(times.ends)), history["loss"][0]


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
