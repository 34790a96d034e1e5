import keras
import numpy as np
import pytest
import tensorflow as tf

from siatl_keras.training import FusedAdam, FusedSGD

GENERATOR = np.random.default_rng(0)
STARTS = [GENERATOR.normal(size=shape).astype("float32") for shape in ((6, 3), (4,))]
STEPS = [
    [GENERATOR.normal(size=start.shape).astype("float32") for start in STARTS]
    for _ in range(3)
]
PAIRS = [
    (FusedAdam, keras.optimizers.Adam),
    (FusedSGD, keras.optimizers.SGD),
]


def trained(optimizer, steps):
    weights = [keras.Variable(start) for start in STARTS]

    @tf.function
    def step(gradients):
        optimizer.apply(gradients, weights)

    optimizer.build(weights)
    for gradients in steps:
        step(gradients)
    return [weight.numpy() for weight in weights]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"global_clipnorm": 0.5},
        {"global_clipnorm": 100.0},
        {"clipnorm": 0.5},
        {"weight_decay": 0.1},
    ],
    ids=str,
)
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_weights_equal_those_of_keras(ours, theirs, arguments):
    steps = tf.nest.map_structure(tf.constant, STEPS)
    expected = trained(theirs(0.1, **arguments), steps)
    received = trained(ours(0.1, **arguments), steps)
    for a, b in zip(received, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("clipnorm", [None, 0.5])
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_sparse_gradients_equal_dense_ones(ours, theirs, clipnorm):
    # Row 4 twice, as when a text repeats a word.
    rows, values = tf.constant([4, 1, 4]), tf.constant(GENERATOR.normal(size=(3, 3)))
    values = tf.cast(values, tf.float32)
    sparse = tf.IndexedSlices(values, rows, tf.constant([6, 3]))
    dense = tf.convert_to_tensor(sparse)
    other = tf.constant(STEPS[0][1])
    expected = trained(theirs(0.1, global_clipnorm=clipnorm), [[dense, other]])
    received = trained(ours(0.1, global_clipnorm=clipnorm), [[sparse, other]])
    for a, b in zip(received, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_sgd_keeps_sparse_gradients_sparse():
    weight = keras.Variable(STARTS[0])
    optimizer = FusedSGD(0.1, global_clipnorm=0.5)
    optimizer.build([weight])

    @tf.function
    def step(values):
        slices = tf.IndexedSlices(values, tf.constant([1]), tf.constant([6, 3]))
        optimizer.apply([slices], [weight])

    graph = step.get_concrete_function(tf.TensorSpec([1, 3])).graph
    shapes = [out.shape for op in graph.get_operations() for out in op.outputs]
    assert tf.TensorShape([6, 3]) not in shapes


@pytest.mark.parametrize("ours", [FusedAdam, FusedSGD])
def test_config_round_trip(ours):
    optimizer = ours(0.1, global_clipnorm=0.5)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is ours
    assert again.get_config() == optimizer.get_config()


def test_a_norm_that_is_not_finite_shows_as_in_keras():
    gradients = [[tf.fill(start.shape, np.inf) for start in STARTS]]
    assert np.isnan(trained(FusedSGD(0.1, global_clipnorm=1.0), gradients)[0]).all()
