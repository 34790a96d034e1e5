"""Callbacks that decide by a log: who is warned."""

import warnings

import keras
import pytest

from rigs.tiny_classifier import tiny_classifier, tiny_texts
from siatl_keras.callbacks import GammaDecay, LossMonitors, in_order
from siatl_keras.metrics import MacroF1

TEXTS, LABELS = tiny_texts(8)


@pytest.fixture(scope="module")
def compiled():
    model = tiny_classifier()
    model.compile("sgd", metrics=["accuracy", "auc", MacroF1(3)])
    return model


def changing_by_hand(epoch, logs):
    changing_by_hand.model.gamma.assign(0.1 / (epoch + 1))


WATCHING = keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau


@pytest.mark.parametrize(
    ("make_callbacks", "told"),
    [
        (lambda: [GammaDecay(), *(kind() for kind in WATCHING)], True),
        (lambda: [WATCHING[0]("loss"), GammaDecay(per="step")], True),
        (
            lambda: [
                WATCHING[0](patience=9),
                keras.callbacks.LambdaCallback(on_epoch_begin=changing_by_hand),
            ],
            True,
        ),
        (lambda: [GammaDecay(), WATCHING[0]("val_task_loss")], False),
        (lambda: [GammaDecay(0.1, 0.1), WATCHING[0]()], False),
        (lambda: [GammaDecay(), keras.callbacks.ModelCheckpoint("x.keras")], False),
        (lambda: [WATCHING[0]()], False),
    ],
    ids=["decay", "by step", "by hand", "task loss", "constant", "every epoch", "none"],
)
def test_who_monitors_the_total_loss_while_gamma_changes_is_told_once(
    compiled, make_callbacks, told
):
    """The callbacks of two epochs, without the training in between."""
    changing_by_hand.model = compiled
    compiled.gamma.assign(0.2)
    running = keras.callbacks.CallbackList(
        in_order([*make_callbacks(), LossMonitors()]), model=compiled
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        running.on_train_begin()
        for epoch in (0, 1):
            running.on_epoch_begin(epoch)
            running.on_train_batch_begin(0)
    received = [str(w.message) for w in caught if "falling γ" in str(w.message)]
    assert len(received) == told
    if told:
        assert 'monitor="val_task_loss"' in received[0]
