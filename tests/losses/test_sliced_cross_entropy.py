import numpy as np
import pytest
import tensorflow as tf

from siatl_keras.losses import OutputWeights, sliced_cross_entropy

GENERATOR = np.random.default_rng(1)
HIDDEN = tf.constant(GENERATOR.normal(size=(3, 5, 8)), tf.float32)
KERNEL = tf.constant(GENERATOR.normal(size=(11, 8)), tf.float32)
BIAS = tf.constant(GENERATOR.normal(size=(11,)), tf.float32)
OUTPUT = OutputWeights(KERNEL, BIAS)
TARGETS = tf.constant(GENERATOR.integers(0, 11, (3, 5)))
MASK = tf.constant(GENERATOR.integers(0, 2, (3, 5)), tf.float32)
FRACTIONS = tf.constant(GENERATOR.random((3, 5)), tf.float32)


def plain(weights, soft_cap=None):
    logits = tf.einsum("bte,ve->btv", HIDDEN, KERNEL)
    if soft_cap is not None:
        logits = soft_cap * tf.tanh(logits / soft_cap)
    logits += BIAS
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(TARGETS, logits)
    return tf.reduce_sum(losses * weights) / tf.reduce_sum(weights), losses


def gradients(function):
    with tf.GradientTape() as tape:
        tape.watch([HIDDEN, KERNEL, BIAS])
        loss = 3.0 * function()[0]
    return loss, tape.gradient(loss, [HIDDEN, KERNEL, BIAS])


@pytest.mark.parametrize("weights", [MASK, FRACTIONS], ids=["mask", "fractions"])
@pytest.mark.parametrize("tokens_per_slice", [1, 4, 1000])
def test_loss_and_gradients_equal_those_of_plain_logits(weights, tokens_per_slice):
    expected, expected_gradients = gradients(lambda: plain(weights))
    loss, received = gradients(
        lambda: sliced_cross_entropy(
            HIDDEN, OUTPUT, TARGETS, weights, tokens_per_slice=tokens_per_slice
        )
    )
    assert float(loss) == pytest.approx(float(expected), abs=1e-5)
    for a, b in zip(received, expected_gradients, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("soft_cap", [0.7, 30.0])
@pytest.mark.parametrize("tokens_per_slice", [4, 1000])
def test_soft_capped_logits_have_their_own_gradients(soft_cap, tokens_per_slice):
    expected, expected_gradients = gradients(lambda: plain(FRACTIONS, soft_cap))
    loss, received = gradients(
        lambda: sliced_cross_entropy(
            HIDDEN,
            OutputWeights(KERNEL, BIAS, soft_cap),
            TARGETS,
            FRACTIONS,
            tokens_per_slice=tokens_per_slice,
        )
    )
    assert float(loss) == pytest.approx(float(expected), abs=1e-5)
    for a, b in zip(received, expected_gradients, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_token_losses_are_those_of_real_tokens():
    _, losses = sliced_cross_entropy(HIDDEN, OUTPUT, TARGETS, MASK)
    np.testing.assert_allclose(losses, plain(MASK)[1] * MASK, atol=1e-5)


def test_no_real_token_gives_zero_and_no_gradient():
    zeros = tf.zeros_like(MASK)
    loss, received = gradients(
        lambda: sliced_cross_entropy(HIDDEN, OUTPUT, TARGETS, zeros)
    )
    assert float(loss) == 0.0
    assert not any(np.abs(gradient).max() for gradient in received)


def test_frozen_parts_get_no_gradient():
    _, received = gradients(
        lambda: sliced_cross_entropy(HIDDEN, OUTPUT, TARGETS, MASK, kernel_learns=False)
    )
    assert np.abs(received[0]).max() > 0
    assert not np.abs(received[1]).max() and not np.abs(received[2]).max()


def test_no_tensor_holds_all_logits():
    many = tf.TensorSpec([64, 32, 8])
    run = tf.function(
        lambda hidden: sliced_cross_entropy(
            hidden,
            OUTPUT,
            tf.ones([64, 32], tf.int32),
            tf.ones([64, 32]),
            tokens_per_slice=16,
        )[0]
    )
    graphs = [run.get_concrete_function(many).graph]
    graphs += [f.graph for f in graphs[0]._functions.values() if hasattr(f, "graph")]
    shapes = [
        output.shape
        for graph in graphs
        for operation in graph.get_operations()
        for output in operation.outputs
    ]
    assert (64, 32, 11) not in shapes and (2048, 11) not in shapes


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_products_in_half_precision_stay_near_float32(dtype):
    expected, expected_gradients = gradients(lambda: plain(MASK))

    def half():
        hidden = tf.cast(HIDDEN, dtype)
        return sliced_cross_entropy(hidden, OUTPUT, TARGETS, MASK)

    loss, received = gradients(half)
    assert float(loss) == pytest.approx(float(expected), rel=1e-2)
    for a, b in zip(received, expected_gradients, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-2 * np.abs(b).max())


def test_equal_logits_of_many_words_do_not_overflow_float16():
    # Exponentials of 1 each, times weights of 2: 160 000 if summed before division.
    hidden = tf.ones([1, 2, 4], tf.float16)
    kernel = tf.fill([80_000, 4], 2.0)
    with tf.GradientTape() as tape:
        tape.watch([hidden, kernel])
        targets = tf.zeros([1, 2], tf.int32)
        output = OutputWeights(kernel)
        loss, _ = sliced_cross_entropy(hidden, output, targets, tf.ones([1, 2]))
    assert float(loss) == pytest.approx(np.log(80_000), rel=1e-3)
    for gradient in tape.gradient(loss, [hidden, kernel]):
        assert np.isfinite(gradient).all()
