"""Trains on one device and on two logical CPU devices; run by test_two_replicas.py.

Prints, as JSON, the largest differences between the two runs' weights and histories,
and what happens when one replica's gradients overflow.
"""

import json

import keras
import numpy as np
import tensorflow as tf
from small_model import grouped_optimizer
from tiny_classifier import tiny_classifier, tiny_texts

from siatl_keras.callbacks import (
    GammaDecay,
    GroupLearningRates,
    SequentialUnfreezing,
    WeightAveraging,
)
from siatl_keras.training import (
    GroupedOptimizer,
    SyncedLossScaleOptimizer,
    discriminative_optimizer,
)

ULMFIT_HEAD = {"pooling": "concat", "num_layers": 0, "block_units": 4}


def clipping_optimizer():
    """Clips hard, in the two ways that Keras has, so that clipping shows."""
    pretrained = keras.optimizers.SGD(0.5, momentum=0.9, global_clipnorm=0.01)
    return GroupedOptimizer(
        {
            "task": keras.optimizers.Adam(0.05, clipnorm=0.01),
            "backbone": pretrained,
            "embedding": pretrained,
        }
    )


def layered_optimizer():
    """An optimizer a layer, rates and momenta on their cycle."""
    layers = ["task", "backbone/projection", "backbone/lstm_1", "backbone/lstm_0"]
    steps = dict.fromkeys([*layers, "embedding"], 9)
    return discriminative_optimizer(steps, 0.01, schedule="one_cycle")


def train(strategy, optimizer, optimizers=None, **head):
    """Trains through all stages; texts have different lengths."""
    texts, labels = tiny_texts()
    with strategy.scope():
        model = tiny_classifier(optimizer(), **head)
    history = model.fit(
        texts,
        labels,
        batch_size=8,
        validation_data=tiny_texts(12, seed=1),
        epochs=3,
        verbose=0,
        callbacks=[
            GammaDecay(epochs=3),
            SequentialUnfreezing(2, 3, optimizers=optimizers, verbose=0),
            GroupLearningRates(),
            WeightAveraging(0.8),
        ],
    )
    return model, history.history


def difference(strategy, optimizer, optimizers=None, **head):
    """Compares two replicas with one device."""
    default = tf.distribute.get_strategy()
    one, one_history = train(default, optimizer, optimizers, **head)
    two, two_history = train(strategy, optimizer, optimizers, **head)
    assert one_history.keys() == two_history.keys()
    return {
        "weights": max(
            float(np.abs(a - b).max())
            for a, b in zip(one.get_weights(), two.get_weights(), strict=True)
        ),
        "history": max(
            # NaN where stage 1 computes nothing.
            float(np.nanmax(np.abs(np.subtract(one_history[k], two_history[k]))))
            for k in one_history
        ),
    }


def overflow(strategy):
    """Makes the second replica's gradients overflow; returns weights and scale."""
    with strategy.scope():
        variable = keras.Variable(np.ones(3, "float32"), name="v")
        optimizer = SyncedLossScaleOptimizer(keras.optimizers.SGD(0.1))
        optimizer.build([variable])

    @tf.function
    def step():
        def on_replica():
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            gradient = tf.where(tf.equal(replica, 1), np.inf, 1.0) * tf.ones(3)
            optimizer.apply([gradient], [variable])

        strategy.run(on_replica)

    step()
    return variable.numpy().tolist(), float(optimizer.dynamic_scale.numpy())


def main():
    """Runs everything with one strategy: several in a process break collectives."""
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    results = {
        "one optimizer": difference(strategy, clipping_optimizer),
        "optimizer per stage": difference(
            strategy,
            grouped_optimizer,
            {2: clipping_optimizer(), 3: keras.optimizers.SGD(0.1)},
        ),
        "ulmfit": difference(strategy, layered_optimizer, **ULMFIT_HEAD),
        "overflow": overflow(strategy),
    }
    print(json.dumps(results))


if __name__ == "__main__":
    main()
