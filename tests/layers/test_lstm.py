import keras
import numpy as np
import pytest
import tensorflow as tf

from rigs.round_trips import through_config
from siatl_keras.layers import LSTM

GENERATOR = np.random.default_rng(0)
INPUTS = tf.constant(GENERATOR.normal(size=(4, 7, 5)), tf.float32)
MASK = tf.constant(GENERATOR.random((4, 7)) > 0.3)
STATES = [tf.constant(GENERATOR.normal(size=(4, 6)), tf.float32) for _ in range(2)]
WEIGHTS = tf.constant(GENERATOR.normal(size=(4, 7, 6)), tf.float32)


def pair(**kwargs):
    arguments = {"return_sequences": True, "return_state": True, **kwargs}
    theirs, ours = keras.layers.LSTM(6, **arguments), LSTM(6, **arguments)
    theirs.build(INPUTS.shape)
    ours.build(INPUTS.shape)
    theirs.cell.bias.assign(GENERATOR.normal(size=24))
    ours.set_weights(theirs.get_weights())
    return theirs, ours


def outputs_and_gradients(layer, mask, states, training=True):
    watched = [INPUTS, *(states or [])]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        outputs = layer(INPUTS, mask=mask, initial_state=states, training=training)
        # Something of every output, so that every path has a gradient.
        loss = tf.reduce_sum(outputs[0] * WEIGHTS)
        loss += tf.reduce_sum(outputs[1] * WEIGHTS[:, 0])
        loss += tf.reduce_sum(outputs[2] * WEIGHTS[:, 1])
    variables = [variable.value for variable in layer.trainable_variables]
    return outputs, tape.gradient(loss, watched + variables)


@pytest.mark.parametrize("states", [None, STATES], ids=["zero", "given"])
@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_outputs_and_gradients_equal_those_of_keras(
    mask, states, go_backwards, training
):
    theirs, ours = pair(go_backwards=go_backwards)
    expected = outputs_and_gradients(theirs, mask, states)
    received = outputs_and_gradients(ours, mask, states, training)
    for a, b in zip(received[0], expected[0], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    for a, b in zip(received[1], expected[1], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_the_same_inside_a_function_with_unknown_lengths():
    _, ours = pair()
    run = tf.function(
        lambda x: ours(x)[0], input_signature=[tf.TensorSpec([None, None, 5])]
    )
    np.testing.assert_allclose(run(INPUTS), ours(INPUTS)[0], atol=1e-6)


@pytest.mark.parametrize("states", [None, STATES], ids=["zero", "given"])
@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
@pytest.mark.parametrize("steps", [2, 4, 7, 9])
def test_several_steps_a_turn_change_nothing(mask, states, steps):
    _, ours = pair()
    how = {"mask": mask, "initial_state": states, "training": False}
    expected = ours(INPUTS, **how)
    ours.steps_per_turn = steps
    for received, one in zip(ours(INPUTS, **how), expected, strict=True):
        assert received.shape == one.shape
        np.testing.assert_allclose(received, one, atol=1e-6)


@pytest.mark.parametrize("mask", [None, MASK], ids=["unmasked", "masked"])
def test_xla_gives_the_same_outputs_and_gradients(mask):
    _, ours = pair()
    run = tf.function(outputs_and_gradients, jit_compile=True)
    expected = outputs_and_gradients(ours, mask, STATES)
    received = run(ours, mask, STATES)
    for a, b in zip(tf.nest.flatten(received), tf.nest.flatten(expected), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_saved_model_holds_it(tmp_path):
    _, ours = pair()
    module = tf.Module()
    module.variables_ = [variable.value for variable in ours.variables]
    module.run = tf.function(
        lambda x: ours(x)[0], input_signature=[tf.TensorSpec([None, None, 5])]
    )
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    np.testing.assert_allclose(loaded.run(INPUTS), ours(INPUTS)[0], atol=1e-6)


def test_a_stateful_layer_goes_on_where_it_was_as_keras_does():
    theirs, ours = pair(stateful=True)
    first = ours(INPUTS)[0]
    np.testing.assert_allclose(first, theirs(INPUTS)[0], atol=1e-5)
    again = ours(INPUTS)[0]
    np.testing.assert_allclose(again, theirs(INPUTS)[0], atol=1e-5)
    assert np.abs(again - first).max() > 1e-3
    ours.reset_states()
    np.testing.assert_allclose(ours(INPUTS)[0], first, atol=1e-6)


def test_bfloat16_stays_near_float32():
    _, ours = pair()
    low = LSTM(6, return_sequences=True, dtype="mixed_bfloat16")
    low.build(INPUTS.shape)
    low.set_weights(ours.get_weights())
    np.testing.assert_allclose(
        tf.cast(low(INPUTS), tf.float32), ours(INPUTS)[0], atol=0.05
    )


def test_weight_drop_changes_training_only():
    layer = LSTM(6, recurrent_weight_dropout=0.5, seed=1)
    plain = LSTM(6)
    layer.build(INPUTS.shape)
    plain.build(INPUTS.shape)
    layer.set_weights(plain.get_weights())
    np.testing.assert_allclose(layer(INPUTS), plain(INPUTS))
    assert np.abs(layer(INPUTS, training=True) - plain(INPUTS)).max() > 1e-3


def test_a_gradient_of_the_gradient_says_what_to_use_instead():
    _, ours = pair()
    with pytest.raises(LookupError, match="Use `keras.layers.LSTM`"):
        with tf.GradientTape() as outer:
            outer.watch(INPUTS)
            with tf.GradientTape() as inner:
                inner.watch(INPUTS)
                loss = tf.reduce_sum(ours(INPUTS, training=True)[0])
            gradient = inner.gradient(loss, INPUTS)
        outer.gradient(gradient, INPUTS)


def test_config_round_trip():
    layer = LSTM(6, recurrent_weight_dropout=0.2, return_sequences=True)
    assert through_config(layer).recurrent_weight_dropout == 0.2


def test_unusual_configurations_run_keras_own_loop():
    theirs, ours = pair(activation="relu")
    np.testing.assert_allclose(ours(INPUTS)[0], theirs(INPUTS)[0], atol=1e-6)
    with pytest.raises(ValueError, match="needs tanh and sigmoid"):
        LSTM(6, activation="relu", recurrent_weight_dropout=0.1)
    with pytest.raises(ValueError, match=r"must be a number in \[0, 1\)"):
        LSTM(6, recurrent_weight_dropout=1.0)
