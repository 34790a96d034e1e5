"""Fails first when a new Keras changes what `compat.layer_parts` relies on."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from siatl_keras.compat import layer_parts


def test_the_backend_lstm_runs_with_a_kernel_that_is_not_the_layer_s():
    layer = keras.layers.LSTM(3, return_sequences=True)
    sequences = np.random.default_rng(0).normal(size=(2, 4, 5)).astype("float32")
    expected = layer(sequences)
    state = [tf.zeros((2, 3))] * 2

    def run(recurrent_kernel):
        # Keras reports with this error that the device has no such kernel.
        try:
            return layer_parts.backend_lstm(
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
            filled = layer_parts.at_least_one_row(x)
            assert filled.shape == (max(rows, 1), *x.shape[1:])
            assert filled.dtype == x.dtype
            np.testing.assert_array_equal(filled[:rows], x)
    assert np.all(layer_parts.at_least_one_row(tf.zeros((0, 2), tf.bool)))


def test_inner_layers_are_found():
    inner = keras.layers.Dense(1)
    outer = keras.Sequential([keras.Input((2,)), keras.Sequential([inner])])
    assert inner not in outer.layers
    assert inner in layer_parts.flatten_layers(outer)


def test_what_may_learn_is_listed_though_frozen_and_without_random_states():
    dense, dropout = keras.layers.Dense(1), keras.layers.Dropout(0.1)
    model = keras.Sequential([keras.Input((2,)), dense, dropout])
    model.trainable = False
    assert model.trainable_variables == []
    listed = layer_parts.learnable_variables([model])
    assert [id(v) for v in listed] == [id(dense.kernel), id(dense.bias)]


def test_a_metric_is_built_by_a_call_on_arrays_without_values():
    metric = keras.metrics.F1Score()
    assert metric.variables == []
    arrays = (np.zeros((4, 3), "float32"), np.zeros((4, 3), "float32"))
    layer_parts.symbolic_call(metric.update_state, *arrays)
    assert [tuple(variable.shape) for variable in metric.variables] == [(3,)] * 4
    assert not np.any([variable.numpy() for variable in metric.variables])


def test_variables_too_many_are_refused_before_they_are_allocated():
    with layer_parts.limited_variables(1000, "too many"):
        layer = keras.layers.Dense(30)
        layer.build((None, 30))  # 930 numbers
        with pytest.raises(ValueError, match="too many"):
            keras.layers.Dense(10**9).build((None, 10**9))
    keras.layers.Dense(40).build((None, 40))


def test_a_model_can_be_called_through_what_stands_in_for_its_layers():
    inputs = {name: keras.Input((2,), name=name) for name in ("b", "a")}
    dense, dropout = keras.layers.Dense(3), keras.layers.Dropout(0.5, seed=1)
    total = dropout(dense(inputs["a"])) - 2.0 * inputs["b"][:, :1]
    model = keras.Model(inputs, total)
    x = {"a": np.ones((4, 2), "float32"), "b": np.full((4, 2), 3.0, "float32")}
    called = []

    def wrap(operation):
        called.append(operation)
        if operation is dense:
            return lambda *args, **kwargs: 2.0 * dense(*args, **kwargs)
        return operation

    for training in (False, True):
        dropout.seed_generator.state.assign([1, 2])
        expected = model(x, training=training)
        dropout.seed_generator.state.assign([1, 2])
        received = layer_parts.call_layers(model, x, training, wrap)
        # Of the inputs by name, `b` was taken away twice from both.
        np.testing.assert_allclose(received + 6.0, 2.0 * (expected + 6.0), rtol=1e-5)
    assert dropout in called
