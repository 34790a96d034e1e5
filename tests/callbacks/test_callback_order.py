"""Callbacks are put in one order, and meet each other."""

import keras
import numpy as np
import pytest

from siatl_keras.callbacks import BackupAndRestore, in_order


def names(callbacks):
    return [type(callback).__name__ for callback in callbacks]


def test_recorders_come_behind_the_rest_and_backups_last(tmp_path):
    given = [
        BackupAndRestore(tmp_path),
        [keras.callbacks.CSVLogger("log.csv"), keras.callbacks.EarlyStopping()],
        None,
        keras.callbacks.TerminateOnNaN(),
    ]
    assert names(in_order(given)) == [
        "EarlyStopping",
        "TerminateOnNaN",
        "CSVLogger",
        "History",
        "BackupAndRestore",
    ]


@pytest.mark.parametrize(("verbose", "bars"), [(0, 0), (1, 1), ("auto", 1), (2, 1)])
def test_the_progress_bar_sees_what_was_computed_and_no_more(verbose, bars):
    callbacks = names(in_order(None, verbose))
    assert callbacks.count("EpochLines") == bars
    assert callbacks[-1] == "History"


def test_what_is_there_is_not_added_again():
    given = [keras.callbacks.ProgbarLogger(), keras.callbacks.History()]
    assert in_order(given, verbose=1) == given
    running = keras.callbacks.CallbackList(given)
    assert in_order(running, verbose=1) == given


def test_callbacks_that_ask_meet_the_others():
    class Asks(keras.callbacks.Callback):
        def meet(self, callbacks):
            self.others = callbacks

    asks, other = Asks(), keras.callbacks.EarlyStopping()
    given = in_order([other, asks])
    assert asks.others == [callback for callback in given if callback is not asks]


def plain_model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    return model


def test_a_backup_works_with_any_keras_model_and_refuses_what_it_cannot_see(tmp_path):
    x, y = np.ones((4, 2)), np.ones((4, 1))
    with pytest.raises(ValueError, match=r"siatl_keras\.callbacks\.in_order"):
        plain_model().fit(x, y, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    backup = BackupAndRestore(tmp_path, delete_checkpoint=False)
    model = plain_model()
    first = model.fit(x, y, epochs=2, verbose=0, callbacks=in_order([backup]))
    again = plain_model().fit(x, y, epochs=3, verbose=0, callbacks=in_order([backup]))
    assert again.history["loss"][:2] == first.history["loss"]
    assert len(again.history["loss"]) == 3
