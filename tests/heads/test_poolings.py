"""Poolings: one interface, by name or a layer of one's own."""

import keras
import numpy as np
import pytest

from rigs.round_trips import through_config
from siatl_keras.heads import (
    POOLINGS,
    AttentionPooling,
    LastPooling,
    MeanPooling,
    TaskHead,
)
from siatl_keras.heads.poolings import PoolingInput, make_pooling

STATES = np.random.default_rng(0).normal(size=(3, 4, 6)).astype("float32")
RIGHT = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]])
LEFT = RIGHT[:, ::-1]


def made(name, forward_units=None):
    return make_pooling(name, PoolingInput(0.0, forward_units, "float32"))


@pytest.mark.parametrize("name", POOLINGS)
@pytest.mark.parametrize("mask", [RIGHT, LEFT], ids=["right", "left"])
def test_each_pools_to_a_vector_and_weights_if_it_has_any(name, mask):
    layer = made(name)
    pooled, weights = layer(STATES, mask)
    assert pooled.shape == (3, 18 if name == "concat" else 6)
    if getattr(layer, "has_weights", False):
        weights = keras.ops.convert_to_numpy(weights)
        np.testing.assert_allclose(weights.sum(1), 1.0, rtol=1e-6)
        assert (weights[mask == 0] == 0).all()
        expected = (STATES * weights[:, :, None]).sum(1)
        np.testing.assert_allclose(pooled, expected, atol=1e-6)
    else:
        assert weights is None


@pytest.mark.parametrize("mask", [RIGHT, LEFT], ids=["right", "left"])
def test_last_and_mean_are_those_of_the_real_steps(mask):
    for row, real in enumerate(mask.astype(bool)):
        last, _ = LastPooling()(STATES, mask)
        np.testing.assert_allclose(last[row], STATES[row][real][-1], atol=1e-6)
        mean, _ = MeanPooling()(STATES, mask)
        np.testing.assert_allclose(mean[row], STATES[row][real].mean(0), atol=1e-6)


def test_the_backward_direction_ends_at_the_first_step():
    pooled, _ = made("last", forward_units=2)(STATES, RIGHT)
    np.testing.assert_allclose(pooled[1, :2], STATES[1, 1, :2])
    np.testing.assert_allclose(pooled[1, 2:], STATES[1, 0, 2:])


def test_nothing_is_pooled_to_zeros():
    for layer in (LastPooling(), MeanPooling()):
        pooled, _ = layer(STATES, np.zeros((3, 4)))
        assert not np.any(pooled)


def test_other_names_are_refused():
    with pytest.raises(ValueError, match="`pooling` must be one of .*'concat'.*max"):
        made("max")


@keras.saving.register_keras_serializable(package="tests")
class GatedPooling(keras.layers.Layer):
    """A user's own: a learned gate for each step, and the sum of what passes."""

    def __init__(self, gates=1, **kwargs):
        super().__init__(**kwargs)
        self.gates = gates
        self.gate = keras.layers.Dense(gates, "sigmoid")

    def build(self, states_shape, padding_mask_shape=None):
        self.gate.build(states_shape)

    def call(self, states, padding_mask):
        open_ = self.gate(states) * keras.ops.cast(padding_mask, "float32")[..., None]
        return keras.ops.concatenate(
            [
                keras.ops.sum(states * open_[..., i : i + 1], 1)
                for i in range(self.gates)
            ],
            axis=-1,
        ), None

    def get_config(self):
        return {**super().get_config(), "gates": self.gates}


def test_a_layer_of_ones_own_learns_and_is_saved_with_the_head():
    head = TaskHead(2, num_layers=0, pooling=GatedPooling(2))
    logits, weights = head(STATES, RIGHT)
    assert head.classes.kernel.shape == (12, 2) and not np.any(weights)
    assert not head.has_weights and isinstance(head.pooling, GatedPooling)
    assert len(head.trainable_variables) == 4  # Gate and classes.
    again = through_config(head)
    again.set_weights([np.full(w.shape, 0.1) for w in head.get_weights()])
    head.set_weights(again.get_weights())
    assert again.pooling.gates == 2 and again.pooling is not head.pooling
    np.testing.assert_allclose(again(STATES, RIGHT)[0], head(STATES, RIGHT)[0])


def test_the_attention_s_dropout_is_on_in_training_only():
    keras.utils.set_random_seed(0)
    head = TaskHead(2, num_layers=0, attention_dropout=0.5)
    head.build(STATES.shape, RIGHT.shape)
    assert isinstance(head.pooling_layer, AttentionPooling)
    quiet = [head(STATES, RIGHT, training=False)[1] for _ in range(2)]
    loud = [head(STATES, RIGHT, training=True)[1] for _ in range(2)]
    np.testing.assert_array_equal(*quiet)
    assert np.abs(np.subtract(*loud)).max() > 0
