"""Trains the small model, kills itself on demand; run by test_backup_and_restore.py.

Arguments: backup directory, result file, epoch to be killed in (0 for never), whether
stages bring optimizers (0 or 1). A run that is not killed resumes, then trains another
model without interruption, and writes both.
"""

import json
import os
import signal
import sys

import keras
import numpy as np
import tensorflow as tf
from small_model import grouped_optimizer, small_data, small_model

from siatl_keras.callbacks import (
    BackupAndRestore,
    GammaDecay,
    GroupLearningRates,
    SequentialUnfreezing,
    SetEpoch,
)


class EpochCounter:
    """Holds the epoch where a dataset can read it."""

    def __init__(self):
        self.value = tf.Variable(0, dtype="int64")

    def set(self, epoch):
        self.value.assign(epoch)


class KillSelf(keras.callbacks.Callback):
    """Ends the process in the middle of an epoch, as the kernel would."""

    def __init__(self, epoch):
        super().__init__()
        self.in_epoch = epoch
        self.epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == self.in_epoch and batch == 1:
            os.kill(os.getpid(), signal.SIGKILL)


def train(directory, killed_in, own_optimizers):
    """Trains through all stages, with dropout and data in another order each epoch."""
    model = small_model(dropout=0.3)
    x, y, sample_weight = small_data(32)
    counter = EpochCounter()
    rows = tf.data.Dataset.from_tensor_slices((x, y, sample_weight))

    def shuffled(_):
        # Another order in every epoch: 5 and 32 have no common factor.
        chosen = (tf.range(32, dtype="int64") * 5 + counter.value * 3) % 32
        return tf.data.Dataset.from_tensor_slices(
            tf.nest.map_structure(lambda a: tf.gather(a, chosen), (x, y, sample_weight))
        )

    dataset = tf.data.Dataset.range(1).flat_map(shuffled).batch(8)
    validation = rows.batch(8)
    optimizers = {2: keras.optimizers.SGD(0.3, momentum=0.9), 3: grouped_optimizer()}
    early = keras.callbacks.EarlyStopping(
        "val_task_loss", mode="min", patience=3, restore_best_weights=True
    )
    history = model.fit(
        dataset,
        validation_data=validation,
        epochs=8,
        verbose=0,
        callbacks=[
            BackupAndRestore(directory),
            SetEpoch(counter),
            GammaDecay(epochs=20, per="step"),
            SequentialUnfreezing(
                2, 5, optimizers=optimizers if own_optimizers else None
            ),
            GroupLearningRates(),
            early,
            KillSelf(killed_in),
        ],
    )
    weights = {f"{i}": w for i, w in enumerate(model.get_weights())}
    state = {"history": history.history, "epoch": history.epoch, "wait": early.wait}
    return {"state": json.dumps(state), **weights}


def main(directory, result, killed_in, own_optimizers):
    """Trains once to be killed, or twice to compare."""
    resumed = train(directory, killed_in, own_optimizers)
    whole = train(directory + "_whole", 0, own_optimizers)
    np.savez(
        result,
        **{f"resumed/{name}": value for name, value in resumed.items()},
        **{f"whole/{name}": value for name, value in whole.items()},
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
