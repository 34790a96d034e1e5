"""Trains a small GPT-2 for two steps; run by test_large_backbones.py.

Argument: 1 to make activations again in the backward pass, 0 to keep them. Prints by
how many megabytes memory peaked above what it was before training, and the loss.
"""

import sys
from pathlib import Path

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from siatl_keras.models import SiATLClassifier

ROWS, LENGTH, WORDS = 16, 128, 500


def peak_megabytes():
    """Reads the peak of this process's memory; `getrusage` begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1_024


def main():
    """Trains and prints."""
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.GPT2Backbone(
        vocabulary_size=WORDS,
        num_layers=8,
        num_heads=4,
        hidden_dim=128,
        intermediate_dim=512,
        max_sequence_length=LENGTH,
    )
    model = SiATLClassifier(
        backbone, num_classes=2, gradient_checkpointing=sys.argv[1] == "1"
    )
    model.compile("sgd")
    random = np.random.default_rng(0)
    tokens = random.integers(1, WORDS, (ROWS, LENGTH)).astype("int32")
    batch = (
        {"token_ids": tokens, "padding_mask": np.ones_like(tokens)},
        {"task": tokens[:, 0] % 2, "lm": tokens},
        {"task": np.ones(ROWS, "float32"), "lm": np.ones((ROWS, LENGTH), "float32")},
    )
    before = peak_megabytes()
    data = tf.data.Dataset.from_tensors(batch).repeat(2)
    loss = model.fit(data, verbose=0).history["loss"][0]
    print(peak_megabytes() - before, loss)


if __name__ == "__main__":
    main()
