"""Callbacks that decide by a log know which way is better."""

import keras
import pytest

from rigs.tiny_classifier import tiny_classifier, tiny_texts
from siatl_keras.callbacks import MonitorDirections, in_order
from siatl_keras.metrics import MacroF1

TEXTS, LABELS = tiny_texts(8)


@pytest.fixture(scope="module")
def compiled():
    model = tiny_classifier()
    model.compile("sgd", metrics=["accuracy", "auc", MacroF1(3)])
    return model


class Never(keras.callbacks.Callback):
    """Makes every epoch's logs worse, whatever was learned."""

    def __init__(self, name, step):
        super().__init__()
        self.name, self.step = name, step

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = 1.0 + self.step * epoch


DOWN = ("task_loss", "lm_loss", "perplexity")
UP = ("macro_f1", "accuracy", "auc")


@pytest.mark.parametrize("prefix", ["", "val_"])
@pytest.mark.parametrize(
    ("name", "best"), [*((n, 1.0) for n in DOWN), *((n, 2.0) for n in UP)]
)
def test_callbacks_know_the_direction_of_every_log(
    compiled, name, best, prefix, tmp_path
):
    name = prefix + name
    monitors = [
        keras.callbacks.EarlyStopping(name, patience=9),
        keras.callbacks.ReduceLROnPlateau(name),
        keras.callbacks.ModelCheckpoint(
            tmp_path / "x.weights.h5", name, save_weights_only=True, save_best_only=True
        ),
    ]
    running = keras.callbacks.CallbackList(
        in_order([*monitors, MonitorDirections()]), model=compiled
    )
    running.on_train_begin()
    for epoch in (0, 1):
        running.on_epoch_end(epoch, {name: epoch + 1.0})
    assert [monitor.best for monitor in monitors] == [best] * 3


def test_early_stopping_on_the_task_loss_needs_no_mode():
    stopping = keras.callbacks.EarlyStopping("val_task_loss", patience=1)
    worse = Never("val_task_loss", 1.0)
    history = (
        tiny_classifier()
        .fit(TEXTS, LABELS, epochs=4, verbose=0, callbacks=[worse, stopping])
        .history
    )
    assert len(history["loss"]) == 2
    assert stopping.best == 1.0
