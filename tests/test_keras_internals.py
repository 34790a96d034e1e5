"""Fails first when a new Keras changes what `_keras_internals` relies on."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from siatl_keras import _keras_internals


def small_model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"], jit_compile=False)
    return model


DATA = (np.ones((4, 2), "float32"), np.ones((4, 1), "float32"))


def test_the_first_step_is_traced_once_where_metrics_are_built_before():
    model = small_model()
    traced = []
    compute_metrics = model.compute_metrics
    model.compute_metrics = lambda *args, **kwargs: (
        traced.append(tf.inside_function()) or compute_metrics(*args, **kwargs)
    )
    x, y = DATA
    _keras_internals.build_losses_and_metrics(model, y, y, np.ones(4))
    traced.clear()
    model.fit(x, y, verbose=0)
    assert traced == [True]


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


def test_gradients_that_are_summed_are_not_summed_again_inside_any_optimizer():
    class Counting(keras.optimizers.SGD):
        sums = 0

        def _all_reduce_sum_gradients(self, grads_and_vars):
            Counting.sums += 1
            return super()._all_reduce_sum_gradients(grads_and_vars)

    plain = Counting(0.5)
    outer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(plain, {}))
    )
    variable = keras.Variable(np.ones(2, "float32"))
    with _keras_internals.gradients_are_summed(outer):
        plain.apply([tf.ones(2)], [variable])
    assert Counting.sums == 0
    plain.apply([tf.ones(2)], [variable])
    assert Counting.sums == 1
    np.testing.assert_allclose(variable, [0.0, 0.0])


def test_fit_builds_from_data_through_the_method_that_we_override():
    class Placeholders(_keras_internals.BuiltFromPlaceholders, keras.Sequential):
        asked = 0

        def _maybe_symbolic_build(self, iterator=None, data_batch=None):
            Placeholders.asked += 1
            return super()._maybe_symbolic_build(iterator, data_batch)

    model = Placeholders([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(*DATA, verbose=0)
    model.evaluate(*DATA, verbose=0)
    model.train_on_batch(*DATA)
    model.test_on_batch(*DATA)
    assert Placeholders.asked == 4


def test_a_function_of_one_step_can_be_made_whatever_an_execution_has():
    model = small_model()
    model.compile("sgd", "mse", steps_per_execution=3, jit_compile=False)
    view = _keras_internals._OfOneStep(model)
    one_step = _keras_internals.TensorFlowTrainer._make_function(view, model.train_step)
    data = iter(tf.data.Dataset.from_tensors(DATA).repeat(5))
    one_step(data)
    assert int(model.optimizer.iterations) == 1
    assert len(list(data)) == 4


def test_resolved_losses_can_be_replaced():
    model = small_model()
    _keras_internals.build_losses_and_metrics(model, *DATA[1:], DATA[1], np.ones(4))
    _keras_internals.replace_losses(model, lambda loss: lambda *args: 2 * loss(*args))
    x, y = DATA
    loss = model.compute_loss(x, y, y + 1.0)
    assert float(loss) == 2.0


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


def test_an_epoch_s_logs_come_from_the_metrics_where_a_step_reports_some_of_them():
    class Reticent(_keras_internals.EpochLogsFromMetrics, keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            super().train_step(data)
            return {"mae": -1.0}

    model = Reticent()
    model.compile("sgd", "mse", metrics=["mae"], jit_compile=False)
    history = model.fit(*DATA, verbose=0).history
    assert list(history) == ["mae"]
    assert history["mae"][0] >= 0


def test_the_backend_lstm_runs_with_a_kernel_that_is_not_the_layer_s():
    layer = keras.layers.LSTM(3, return_sequences=True)
    sequences = np.random.default_rng(0).normal(size=(2, 4, 5)).astype("float32")
    expected = layer(sequences)
    state = [tf.zeros((2, 3))] * 2

    def run(recurrent_kernel):
        # Keras reports with this error that the device has no such kernel.
        try:
            return _keras_internals.backend_lstm(
                layer, sequences, state, None, recurrent_kernel
            )[1]
        except NotImplementedError:
            pytest.skip("the backend's LSTM needs a GPU")

    kernel = layer.cell.recurrent_kernel
    np.testing.assert_allclose(run(kernel), expected, atol=1e-5)
    assert not np.allclose(run(kernel * 0.0), expected)


def test_an_empty_batch_gets_a_row_and_others_none():
    for rows in (0, 1, 3):
        for x in (tf.zeros((rows, 2, 4)), tf.zeros((rows, 2), tf.bool)):
            filled = _keras_internals.at_least_one_row(x)
            assert filled.shape == (max(rows, 1), *x.shape[1:])
            assert filled.dtype == x.dtype
            np.testing.assert_array_equal(filled[:rows], x)
    assert np.all(_keras_internals.at_least_one_row(tf.zeros((0, 2), tf.bool)))


def test_inner_layers_are_found():
    inner = keras.layers.Dense(1)
    outer = keras.Sequential([keras.Input((2,)), keras.Sequential([inner])])
    assert inner not in outer.layers
    assert inner in _keras_internals.flatten_layers(outer)


def test_what_may_learn_is_listed_though_frozen_and_without_random_states():
    dense, dropout = keras.layers.Dense(1), keras.layers.Dropout(0.1)
    model = keras.Sequential([keras.Input((2,)), dense, dropout])
    model.trainable = False
    assert model.trainable_variables == []
    listed = _keras_internals.learnable_variables([model])
    assert [id(v) for v in listed] == [id(dense.kernel), id(dense.bias)]


def test_clipping_still_goes_through_the_method_that_we_override():
    class Counting(_keras_internals.FusedGlobalNorm, keras.optimizers.SGD):
        calls = 0

        def _clip_gradients(self, grads):
            Counting.calls += 1
            return super()._clip_gradients(grads)

    weight = keras.Variable([3.0, 4.0])
    Counting(1.0, global_clipnorm=1.0).apply([keras.ops.array([3.0, 4.0])], [weight])
    assert Counting.calls == 1
    np.testing.assert_allclose(weight.numpy(), [2.4, 3.2], atol=1e-6)


def test_adam_still_keeps_its_moments_where_we_look():
    weight = keras.Variable([1.0])
    adam = keras.optimizers.Adam(0.1)
    adam.apply([keras.ops.array([2.0])], [weight])
    momentum, velocity = _keras_internals.adam_moments(adam, weight)
    np.testing.assert_allclose(momentum.numpy(), [0.2], atol=1e-6)
    np.testing.assert_allclose(velocity.numpy(), [0.004], atol=1e-6)


def test_sgd_moment_is_what_sgd_remembers():
    weight = keras.Variable([1.0])
    sgd = keras.optimizers.SGD(0.1, momentum=0.5)
    sgd.apply([keras.ops.array([2.0])], [weight])
    moment = _keras_internals.sgd_moment(sgd, weight)
    np.testing.assert_allclose(moment.numpy(), [-0.2], atol=1e-6)


def test_a_variables_resource_can_be_changed_by_raw_operations():
    weight = keras.Variable([1.0])
    tf.raw_ops.AssignVariableOp(
        resource=_keras_internals.resource(weight), value=tf.constant([5.0])
    )
    assert weight.numpy() == [5.0]
