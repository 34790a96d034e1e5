"""Early stopping's memory: the best weights, and no copy of what is frozen."""

import keras
import numpy as np
import pytest

from rigs.small_model import small_data, small_model
from siatl_keras.callbacks import (
    BestWeights,
    SequentialUnfreezing,
    WeightAveraging,
)
from siatl_keras.plans import stages


def keras_early_stopping():
    return keras.callbacks.EarlyStopping(
        "val_loss", mode="max", patience=4, restore_best_weights=True
    )


def fit(*callbacks, epochs=8, model=None):
    model = model or small_model()
    x, y, sample_weight = small_data(8)
    history = model.fit(
        x,
        y,
        sample_weight=sample_weight,
        validation_data=(x, y, sample_weight),
        shuffle=False,
        batch_size=4,
        epochs=epochs,
        verbose=0,
        callbacks=list(callbacks),
    )
    return model, history


class AlwaysBetter(keras.callbacks.Callback):
    """Logs what is better in each epoch than in the one before."""

    def on_epoch_end(self, epoch, logs=None):
        logs["epochs"] = epoch


class Watch(keras.callbacks.Callback):
    """Keeps, of each epoch, which weights learn and whose memory `held` shares."""

    def __init__(self, held):
        super().__init__()
        self.held = held
        self.learns = []
        self.shared = []

    def on_epoch_begin(self, epoch, logs=None):
        self.learns.append({v.path for v in self.model.trainable_variables})
        self.shared.append(set())

    def on_train_batch_end(self, batch, logs=None):
        pairs = zip(self.model.weights, self.held.arrays_for_backup(), strict=False)
        self.shared[-1] = {v.path for v, kept in pairs if same_memory(v, kept)}


def same_memory(variable, tensor):
    ours, theirs = memoryview(variable.value.read_value()), memoryview(tensor)
    return np.shares_memory(np.asarray(ours), np.asarray(theirs))


@pytest.mark.parametrize("averaged", [False, True])
def test_it_ends_as_kerass_does(averaged):
    def callbacks(early):
        averaging = [WeightAveraging(0.5)] if averaged else []
        return [SequentialUnfreezing(stages(2, 4)), *averaging, early]

    expected, theirs = fit(*callbacks(keras_early_stopping()))
    model, ours = fit(*callbacks(BestWeights("val_loss", 4, "max")))
    np.testing.assert_allclose(
        ours.history["val_loss"], theirs.history["val_loss"], rtol=1e-6
    )
    for mine, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6)


def test_what_is_frozen_is_held_but_not_copied():
    held = BestWeights("epochs", 9, "max")
    watch = Watch(held)
    unfreezing = SequentialUnfreezing(stages(3, 5))
    model, _ = fit(unfreezing, AlwaysBetter(), held, watch, epochs=6)
    weights = {v.path for v in model.weights}
    assert not watch.shared[0]
    assert watch.shared[1:] == [weights - learns for learns in watch.learns[1:]]
    assert watch.shared[1] > watch.shared[3] > watch.shared[5]


def test_without_the_figure_nothing_is_restored():
    held = BestWeights("val_absent", 1, "min")
    with pytest.warns(UserWarning, match="val_absent"):
        model, history = fit(held, epochs=2)
    expected, _ = fit(epochs=2)
    assert len(history.epoch) == 2
    for mine, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-6)
