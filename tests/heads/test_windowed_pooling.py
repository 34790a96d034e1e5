"""WindowedPooling: the mean of the windows' vectors, and weights that sum to 1."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from siatl_keras.heads import POOLINGS
from siatl_keras.heads.poolings import PoolingInput
from siatl_keras.heads.windowed_pooling import WindowedPooling

RANDOM = np.random.default_rng(0)
STATES = tf.constant(RANDOM.normal(size=(5, 11, 3)), "float32")
LENGTHS = [11, 4, 5, 1, 8]
MASK = tf.sequence_mask(LENGTHS, 11, tf.int32)
# Windows of four steps and, after the first, two steps of their own.
PARTS = [slice(0, 4), slice(4, 6), slice(6, 8), slice(8, 10), slice(10, 11)]


def pooling_of(name):
    keras.utils.set_random_seed(0)
    return POOLINGS[name](PoolingInput(0.0, None, "float32"))


@pytest.mark.parametrize("name", POOLINGS)
def test_the_windows_of_a_text_are_pooled_and_then_their_vectors(name):
    pooling = pooling_of(name)
    layer = WindowedPooling(pooling, 4, 2)
    pooled, weights = tf.function(layer)(STATES, MASK)
    for row, length in enumerate(LENGTHS):
        parts = [part for part in PARTS if part.start < length]
        vectors = []
        for part in parts:
            here = slice(part.start, min(part.stop, length))
            size = here.stop - here.start
            found, of_steps = pooling(
                STATES[row : row + 1, here], tf.ones([1, size], tf.int32)
            )
            vectors.append(found[0])
            if of_steps is not None:
                np.testing.assert_allclose(
                    weights[row, here], of_steps[0] / len(parts), atol=1e-6
                )
        np.testing.assert_allclose(pooled[row], np.mean(vectors, 0), atol=1e-5)
    if weights is None:
        assert not layer.has_weights
        return
    assert layer.has_weights and weights.shape == MASK.shape
    np.testing.assert_allclose(tf.reduce_sum(weights, -1), 1.0, atol=1e-6)


@pytest.mark.parametrize("name", POOLINGS)
def test_texts_of_one_window_are_pooled_as_without(name):
    pooling = pooling_of(name)
    layer = WindowedPooling(pooling, 4, 2)
    states, mask = STATES[:, :4], tf.sequence_mask([4, 2, 1, 3, 4], 4, tf.int32)
    for one, other in zip(layer(states, mask), pooling(states, mask), strict=True):
        if one is not None:
            np.testing.assert_array_equal(one, other)


def test_it_comes_back_from_its_config():
    layer = WindowedPooling(pooling_of("last"), 4, 2)
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    assert (again.length, again.step) == (4, 2)
    np.testing.assert_array_equal(again(STATES, MASK)[0], layer(STATES, MASK)[0])
    with pytest.raises(ValueError, match="`step` must be a whole number"):
        WindowedPooling(pooling_of("last"), 4, 0)
