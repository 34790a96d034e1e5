"""Fails first when a new Keras changes what `_keras_internals` relies on."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from siatl_keras import _keras_internals

DATA = (np.ones((4, 2), "float32"), np.ones((4, 1), "float32"))


def small_model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"], jit_compile=False)
    return model


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


@pytest.mark.parametrize("scaled", [False, True])
def test_an_optimizer_remembers_what_it_was_built_on(scaled):
    weights = [keras.Variable([1.0]), keras.Variable([2.0])]
    optimizer = keras.optimizers.Adam()
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(weights)
    known = _keras_internals.optimized_variables(optimizer)
    assert [id(v) for v in known] == [id(v) for v in weights]


class Watched(keras.Model):
    """Notes whether its configuration is asked for by the old format."""

    asked = []

    def get_config(self):
        self.asked.append(_keras_internals.is_saving_to_hdf5())
        return super().get_config()


def test_saving_to_the_old_format_is_told_from_other_saving(tmp_path):
    inputs = keras.Input((2,))
    model = Watched(inputs, keras.layers.Dense(1)(inputs))
    for name, expected in (("model.h5", True), ("model.keras", False)):
        Watched.asked.clear()
        model.save(tmp_path / name)
        assert set(Watched.asked) == {expected}


def test_cloning_is_told_from_calling():
    class Alone(_keras_internals.KnowsItsCloner, keras.Model):
        def refuse_cloning(self):
            raise ValueError("alone")

    inputs = keras.Input((2,))
    model = Alone(inputs, keras.layers.Dense(1)(inputs))
    assert model(np.zeros((1, 2))).shape == (1, 1)
    assert model(keras.Input((2,))).shape == (None, 1)
    with pytest.raises(ValueError, match="alone"):
        keras.models.clone_model(model)


def test_what_is_deserialised_knows_that_it_is_in_safe_mode():
    seen = []

    @keras.saving.register_keras_serializable(package="tests")
    class Asks(keras.layers.Layer):
        @classmethod
        def from_config(cls, config):
            seen.append(_keras_internals.in_safe_mode())
            return cls(**config)

    saved = keras.saving.serialize_keras_object(Asks())
    keras.saving.deserialize_keras_object(saved)
    keras.saving.deserialize_keras_object(saved, safe_mode=False)
    assert seen == [True, False]
    assert _keras_internals.in_safe_mode() is False, "outside of any"


def test_variables_too_many_are_refused_before_they_are_allocated():
    with _keras_internals.limited_variables(1000, "too many"):
        layer = keras.layers.Dense(30)
        layer.build((None, 30))  # 930 numbers
        with pytest.raises(ValueError, match="too many"):
            keras.layers.Dense(10**9).build((None, 10**9))
    keras.layers.Dense(40).build((None, 40))
