"""Metrics and losses of Keras on two replicas; run by test_two_replicas_compiled.py.

Prints, as JSON, an evaluation on one device and on two, of nine texts in batches of
eight: the last batch leaves the second replica without a text.
"""

import json

import keras
import numpy as np
import tensorflow as tf

from rigs.tiny_classifier import tiny_classifier, tiny_texts
from siatl_keras.callbacks import SequentialUnfreezing
from siatl_keras.plans import stages


def evaluate(strategy):
    """Compiles under a strategy, and evaluates before and after an epoch."""
    texts, labels = tiny_texts(9)
    with strategy.scope():
        model = tiny_classifier()
        model.compile(
            keras.optimizers.SGD(0.0),
            keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
            loss_weights={"task": 0.5, "lm": 0.1},
            metrics=["auc", "f1_score", "accuracy", "categorical_crossentropy"],
            weighted_metrics={"task": [keras.metrics.Recall(name="r"), "mse"]},
        )
    weights = np.linspace(0.5, 2.0, 9)
    unfreezing = SequentialUnfreezing(
        stages(1, 2, optimizers={2: keras.optimizers.SGD(0.0)})
    )
    model.fit(texts, labels, batch_size=8, epochs=2, verbose=0, callbacks=[unfreezing])
    figures = model.evaluate(
        texts, labels, 8, sample_weight=weights, return_dict=True, verbose=0
    )
    return {name: np.asarray(value).tolist() for name, value in figures.items()}


def main():
    """Compares, with one strategy: several in a process break collectives."""
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    one = evaluate(tf.distribute.get_strategy())
    print(json.dumps({"one": one, "two": evaluate(strategy)}))


if __name__ == "__main__":
    main()
