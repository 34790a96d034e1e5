"""Distributes datasets over two logical CPU devices; run by test_classification.py.

Prints, as JSON, the batches that the replicas saw together, and those of one device.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from rigs.hash_preprocessor import HashClassifierPreprocessor, HashLMPreprocessor
from siatl_keras.data import EpochCounter, classification_dataset, lm_dataset

TEXTS = [" ".join(f"w{index}" for _ in range(index % 7)) for index in range(50)]


def whole(strategy, value):
    """Joins what the replicas got of a batch."""
    return np.concatenate(
        [np.ravel(v) for v in strategy.experimental_local_results(value)]
    )


def epochs(strategy, scope):
    """Labels of the batches of two epochs."""
    if scope:
        with strategy.scope():
            counter = EpochCounter()
    else:
        counter = EpochCounter()
    dataset = classification_dataset(
        TEXTS, range(50), HashClassifierPreprocessor(), 8, seed=0, epoch=counter
    )
    dataset = strategy.experimental_distribute_dataset(dataset)
    result = []
    for epoch in range(2):
        counter.set(epoch)
        result.append([whole(strategy, y).tolist() for _, y, _ in dataset])
    return result


def targets(strategy, path):
    """Sums of the LM targets of each batch; padding adds nothing."""
    dataset = lm_dataset(path, HashLMPreprocessor(), 4, seed=0)
    dataset = strategy.experimental_distribute_dataset(dataset)
    return [int(whole(strategy, y).sum()) for _, y, _ in dataset]


def main():
    """Runs everything with one strategy: several in a process break collectives."""
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )
    one = tf.distribute.get_strategy()
    two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.txt"
        path.write_text("".join(f"text {text}\n" for text in TEXTS))
        results = {
            "one device": epochs(one, scope=False),
            "counter outside scope": epochs(two, scope=False),
            "counter in scope": epochs(two, scope=True),
            "lm, one device": targets(one, path),
            "lm": targets(two, path),
        }
    print(json.dumps(results))


if __name__ == "__main__":
    main()
