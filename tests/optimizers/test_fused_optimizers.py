import keras
import numpy as np
import pytest
import tensorflow as tf

from rigs.round_trips import through_config
from siatl_keras.optimizers import FusedAdam, FusedSGD, OneCycle, OneCycleMomentum

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
    assert through_config(optimizer).global_clipnorm == 0.5


SPARSE = tf.IndexedSlices(
    tf.constant(GENERATOR.normal(size=(3, 3)).astype("float32")),
    tf.constant([4, 1, 4]),
    tf.constant([6, 3]),
)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_sgd_with_momentum_equals_that_of_keras(nesterov, sparse):
    steps = tf.nest.map_structure(tf.constant, STEPS)
    dense = [[tf.convert_to_tensor(SPARSE) if sparse else a, b] for a, b in steps]
    given = [[SPARSE if sparse else a, b] for a, b in steps]
    arguments = {"momentum": 0.9, "nesterov": nesterov}
    expected = trained(keras.optimizers.SGD(0.1, **arguments), dense)
    received = trained(FusedSGD(0.1, **arguments), given)
    for a, b in zip(received, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_scheduled_momentum_is_that_of_each_step():
    momentum = OneCycleMomentum(3, high=0.9, low=0.5, start_fraction=0.5)
    received = trained(FusedSGD(0.1, momentum=momentum), STEPS)[1]
    moment, expected = np.zeros(4), STARTS[1].astype("float64")
    for step, (_, gradient) in enumerate(STEPS):
        moment = moment * float(momentum(step)) - 0.1 * gradient
        expected = expected + moment
    np.testing.assert_allclose(received, expected, rtol=1e-5)


@pytest.mark.parametrize("sparse", [False, True])
def test_scheduled_beta_1_divides_by_that_of_the_step(sparse):
    beta_1 = OneCycleMomentum(3, high=0.9, low=0.5, start_fraction=0.5)
    dense = tf.convert_to_tensor(SPARSE).numpy()
    gradient = SPARSE if sparse else tf.constant(dense)
    steps = [[gradient, tf.constant(b)] for _, b in STEPS]
    received = trained(FusedAdam(0.1, beta_1=beta_1), steps)[0]
    first, second = np.zeros((6, 3)), np.zeros((6, 3))
    expected = STARTS[0].astype("float64")
    for step in range(3):
        beta = float(beta_1(step))
        first = beta * first + (1 - beta) * dense
        second = 0.999 * second + 0.001 * dense**2
        mean = first / (1 - beta ** (step + 1))
        deviation = np.sqrt(second / (1 - 0.999 ** (step + 1)))
        # Keras adds epsilon before it divides by the second divisor's root.
        smallest = 1e-7 / np.sqrt(1 - 0.999 ** (step + 1))
        expected = expected - 0.1 * mean / (deviation + smallest)
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "optimizer",
    [
        FusedAdam(OneCycle(0.1, 9), beta_1=OneCycleMomentum(9)),
        FusedSGD(OneCycle(0.1, 9), momentum=OneCycleMomentum(9, low=0.5)),
    ],
    ids=["adam", "sgd"],
)
def test_schedules_survive_the_config(optimizer):
    again = through_config(optimizer)
    copy = type(optimizer).from_config(optimizer.get_config())
    for other in (again, copy):
        assert other.get_config() == optimizer.get_config()
        other.iterations.assign(4)
        optimizer.iterations.assign(4)
        name = "beta_1" if isinstance(optimizer, FusedAdam) else "momentum"
        assert float(getattr(other, name)) == float(getattr(optimizer, name)) < 0.95


def test_a_norm_that_is_not_finite_shows_as_in_keras():
    gradients = [[tf.fill(start.shape, np.inf) for start in STARTS]]
    assert np.isnan(trained(FusedSGD(0.1, global_clipnorm=1.0), gradients)[0]).all()
