import keras
import numpy as np
import pytest
import tensorflow as tf

from siatl_keras.losses import (
    OutputWeights,
    sampled_cross_entropy,
    sliced_cross_entropy,
)

GENERATOR = np.random.default_rng(2)
WORDS = 400
HIDDEN = tf.constant(GENERATOR.normal(size=(3, 5, 8)), tf.float32)
KERNEL = tf.constant(GENERATOR.normal(size=(WORDS, 8)) / 2, tf.float32)
BIAS = tf.constant(GENERATOR.normal(size=(WORDS,)), tf.float32)
OUTPUT = OutputWeights(KERNEL, BIAS)
TARGETS = tf.constant([[1, 2, 3, 4, 5], [50, 90, 150, 220, 399], [0, 7, 9, 300, 2]])
MASK = tf.constant([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 1, 0]], tf.float32)


def sampled(words, seed, hidden=HIDDEN, output=OUTPUT):
    generator = keras.random.SeedGenerator(seed)
    return sampled_cross_entropy(
        hidden, output, TARGETS, MASK, words=words, seed=generator
    )


@pytest.mark.parametrize("bias", [BIAS, None], ids=["bias", "no bias"])
def test_the_estimated_softmax_sum_is_right_on_average(bias):
    output = OutputWeights(KERNEL, bias)
    _, exact = sliced_cross_entropy(HIDDEN, output, TARGETS, MASK)
    estimates = [np.exp(sampled(40, seed, output=output)) for seed in range(300)]
    ratio = np.mean(estimates, 0) / np.exp(exact)
    np.testing.assert_allclose(ratio, 1.0, atol=0.1)
    # Single estimates differ: the average is not of one value.
    assert np.std(estimates, 0)[np.array(MASK) > 0].min() > 0


def test_gradients_come_near_the_exact_ones_as_the_sample_grows():
    def gradients(function, *arguments):
        with tf.GradientTape() as tape:
            tape.watch([HIDDEN, KERNEL, BIAS])
            loss = tf.reduce_sum(function(*arguments)) / tf.reduce_sum(MASK)
        parts = tape.gradient(loss, [HIDDEN, KERNEL, BIAS])
        return np.concatenate([np.ravel(tf.convert_to_tensor(p)) for p in parts])

    def plain():
        logits = tf.einsum("bte,ve->btv", HIDDEN, KERNEL) + BIAS
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(TARGETS, logits)
        return losses * MASK

    exact = gradients(plain)
    errors = []
    for words in (20, WORDS):
        runs = [gradients(sampled, words, seed) for seed in range(30)]
        errors.append(np.linalg.norm(np.mean(runs, 0) - exact))
    assert errors[1] < 0.03 * np.linalg.norm(exact) < errors[0]


def test_soft_capped_logits_are_estimated_too():
    capped = OutputWeights(KERNEL, BIAS, soft_cap=0.7)
    _, exact = sliced_cross_entropy(HIDDEN, capped, TARGETS, MASK)
    _, uncapped = sliced_cross_entropy(HIDDEN, OUTPUT, TARGETS, MASK)
    estimates = [np.exp(sampled(40, seed, output=capped)) for seed in range(300)]
    np.testing.assert_allclose(np.mean(estimates, 0) / np.exp(exact), 1.0, atol=0.1)
    assert np.max(np.abs(exact - uncapped)) > 0.5


def test_padding_has_no_loss_and_the_targets_are_always_among_the_words():
    losses = sampled(2, 0)
    assert not np.any(losses * (1 - MASK))
    assert np.min(losses) >= 0  # -ln p of a target that counts in its own sum.


def test_gradients_of_the_kernel_are_slices():
    with tf.GradientTape() as tape:
        tape.watch(KERNEL)
        loss = tf.reduce_sum(sampled(20, 0))
    gradient = tape.gradient(loss, KERNEL)
    assert isinstance(gradient, tf.IndexedSlices)
    assert gradient.values.shape[0] < WORDS


def test_bfloat16_stays_near_float32():
    low = sampled(100, 0, tf.cast(HIDDEN, tf.bfloat16))
    assert low.dtype == tf.float32
    np.testing.assert_allclose(low, sampled(100, 0), atol=0.05)


def test_each_step_draws_other_words():
    generator = keras.random.SeedGenerator(0)
    first, second = (
        sampled_cross_entropy(HIDDEN, OUTPUT, TARGETS, MASK, words=20, seed=generator)
        for _ in range(2)
    )
    assert np.abs(first - second).max() > 1e-3
