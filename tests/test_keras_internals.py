"""Fails first when a new Keras changes what `_keras_internals` relies on."""

import keras
import numpy as np
import tensorflow as tf

from siatl_keras import _keras_internals


def small_model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"], jit_compile=False)
    return model


DATA = (np.ones((4, 2), "float32"), np.ones((4, 1), "float32"))


def test_recompile_works_in_the_middle_of_fit():
    model = small_model()
    mine = keras.optimizers.Adam(0.5)

    class Swap(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                _keras_internals.recompile(
                    model,
                    {"optimizer": mine, "loss": "mse", "metrics": ["mae"]},
                    (*DATA, np.ones(4)),
                )

    history = model.fit(*DATA, epochs=3, verbose=0, callbacks=[Swap()]).history
    assert len(history["mae"]) == 3
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    assert model.optimizer is not mine
    assert int(model.optimizer.iterations) == 2


def test_an_optimizer_that_skips_the_reduction_takes_its_gradients_as_they_are():
    optimizer = keras.optimizers.SGD(0.5)
    assert callable(optimizer._all_reduce_sum_gradients)
    _keras_internals.skip_gradient_reduction(optimizer)
    variable = keras.Variable(np.ones(2, "float32"))
    optimizer.apply([tf.ones(2)], [variable])
    np.testing.assert_allclose(variable, [0.5, 0.5])


def test_a_callback_finds_the_list_that_calls_it():
    class Find(keras.callbacks.Callback):
        def set_model(self, model):
            super().set_model(model)
            self.found = _keras_internals.running_callback_list()

    find = Find()
    small_model().fit(*DATA, verbose=0, callbacks=[find])
    assert find in find.found.callbacks
    assert any(isinstance(c, keras.callbacks.History) for c in find.found.callbacks)
    assert _keras_internals.running_callback_list() is None


def test_the_list_s_callbacks_may_be_put_in_another_order():
    calls = []

    class Last(keras.callbacks.Callback):
        def set_model(self, model):
            super().set_model(model)
            running = _keras_internals.running_callback_list()
            rest = [c for c in running.callbacks if c is not self]
            running.callbacks = [*rest, self]

        def on_epoch_end(self, epoch, logs=None):
            calls.append("last")

    first = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: calls.append("first")
    )
    small_model().fit(*DATA, verbose=0, callbacks=[Last(), first])
    assert calls == ["first", "last"]


def test_a_callback_may_set_the_first_epoch():
    model = small_model()

    class Skip(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            _keras_internals.set_initial_epoch(model, 2)

    history = model.fit(*DATA, epochs=4, verbose=0, callbacks=[Skip()])
    assert history.epoch == [2, 3]
    _keras_internals.set_initial_epoch(model, 0)
    assert model.fit(*DATA, epochs=1, verbose=0).epoch == [0]


def test_the_global_seed_state_repeats_random_numbers():
    keras.random.uniform((1,))
    state = _keras_internals.global_seed_state()
    before = state.numpy()
    first = keras.random.uniform((3,)).numpy()
    state.assign(before)
    np.testing.assert_array_equal(first, keras.random.uniform((3,)))


def test_a_tracked_loss_is_in_the_logs():
    model = small_model()
    model.evaluate(*DATA, verbose=0)
    model.reset_metrics()
    _keras_internals.track_loss(model, tf.constant(2.0), 3)
    _keras_internals.track_loss(model, tf.constant(6.0), 1)
    assert float(model.get_metrics_result()["loss"]) == 3.0
