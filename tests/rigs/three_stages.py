"""Fits that go through the paper's three stages in three epochs."""

import keras

from rigs import small_backbones as small
from siatl_keras.callbacks import GammaDecay, SequentialUnfreezing
from siatl_keras.optimizers.groups import groups_of
from siatl_keras.plans import stages

ULMFIT = {"pooling": "concat", "num_layers": 0, "block_units": 7}


def fit(model, texts, labels, epochs=4, callbacks=(), **kwargs):
    unfreezing = SequentialUnfreezing(stages(2, 3))
    return model.fit(
        texts,
        labels,
        batch_size=4,
        epochs=epochs,
        callbacks=[GammaDecay(0.2, 0.1, 3), unfreezing, *callbacks],
        verbose=0,
        **kwargs,
    )


class Changes(keras.callbacks.Callback):
    """Notes which groups' weights changed in each epoch."""

    def __init__(self):
        super().__init__()
        self.groups = []

    def on_epoch_begin(self, epoch, logs=None):
        self.before = values_of(self.model)

    def on_epoch_end(self, epoch, logs=None):
        after = values_of(self.model)
        self.groups.append(
            "".join(
                name[0]
                for name, values in after.items()
                if any(
                    (a != b).any()
                    for a, b in zip(values, self.before[name], strict=True)
                )
            )
        )


def values_of(model):
    return {
        name: [variable.numpy() for variable in group]
        for name, group in groups_of(model).variables.items()
    }


def fit_in_three_stages(model, **kwargs):
    changes = Changes()
    unfreezing = SequentialUnfreezing(stages(2, 3, **kwargs))
    history = model.fit(
        small.TEXTS,
        small.LABELS,
        batch_size=4,
        epochs=3,
        verbose=0,
        callbacks=[GammaDecay(0.2, 0.1, 3), unfreezing, changes],
    )
    return history.history, changes.groups
