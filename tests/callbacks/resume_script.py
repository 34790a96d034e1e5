"""Trains a classifier, kills itself on demand; run by test_backup_and_restore.py.

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

from rigs.small_model import grouped_optimizer
from rigs.tiny_classifier import tiny_classifier, tiny_texts
from siatl_keras.callbacks import (
    BackupAndRestore,
    BestWeights,
    GammaDecay,
    GroupLearningRates,
    SequentialUnfreezing,
    WeightAveraging,
)
from siatl_keras.plans import stages


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
    """Trains through all stages, with dropout, in another order each epoch."""
    model = tiny_classifier(grouped_optimizer(), dropout=0.2)
    texts, labels = tiny_texts(32)
    optimizers = {2: keras.optimizers.SGD(0.3, momentum=0.9), 3: grouped_optimizer()}
    early = BestWeights("val_task_loss", patience=3, mode="min")
    history = model.fit(
        texts,
        labels,
        validation_data=tiny_texts(16, seed=1),
        batch_size=8,
        epochs=8,
        verbose=0,
        callbacks=[
            BackupAndRestore(directory),
            GammaDecay(epochs=20, per="step"),
            SequentialUnfreezing(
                stages(2, 5, optimizers=optimizers if own_optimizers else None)
            ),
            GroupLearningRates(),
            WeightAveraging(0.8),
            early,
            KillSelf(killed_in),
        ],
    )
    weights = {f"{i}": w for i, w in enumerate(model.get_weights())}
    logs = {
        name: [float(v) for v in values] for name, values in history.history.items()
    }
    state = {"history": logs, "epoch": history.epoch, "wait": early.wait}
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
