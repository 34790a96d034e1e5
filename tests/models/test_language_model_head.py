"""The loss of the next token from hidden states, and from what it may be estimated."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from siatl_keras.models.language_model_head import LanguageModelHead

VOCABULARY, EMBEDDING = 11, 4
RANDOM = np.random.default_rng(0)
HIDDEN = RANDOM.normal(size=(3, 4, EMBEDDING)).astype("float32")
TARGETS = RANDOM.integers(0, VOCABULARY, (3, 4)).astype("int32")
WEIGHTS = (np.arange(4)[None] < np.array([[4], [2], [1]])).astype("float32")


@pytest.fixture(params=[True, False], ids=["tied", "untied"])
def embedding(request):
    layer = keras.layers.ReversibleEmbedding(
        VOCABULARY, EMBEDDING, tie_weights=request.param
    )
    layer.build()
    for weight in layer.weights:
        weight.assign(RANDOM.normal(size=weight.shape))
    return layer


def by_hand(embedding, targets=TARGETS):
    logits = keras.ops.convert_to_numpy(embedding(HIDDEN, reverse=True))
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return -np.take_along_axis(logs, targets[..., None], -1)[..., 0]


@pytest.mark.parametrize("training", [False, True])
def test_it_is_the_mean_over_real_tokens(embedding, training):
    head = LanguageModelHead(embedding)
    loss, losses = head.loss(HIDDEN, TARGETS, WEIGHTS, training)
    expected = by_hand(embedding) * WEIGHTS
    np.testing.assert_allclose(losses, expected, atol=1e-5)
    assert float(loss) == pytest.approx(expected.sum() / WEIGHTS.sum(), abs=1e-6)


@pytest.mark.parametrize("sampled_words", [None, 5])
def test_no_real_token_is_a_loss_of_zero(embedding, sampled_words):
    head = LanguageModelHead(embedding, keras.random.SeedGenerator(0), sampled_words)
    loss, _ = head.loss(HIDDEN, TARGETS, np.zeros_like(WEIGHTS), training=True)
    assert float(loss) == 0.0


def test_a_sample_estimates_the_loss_in_training_alone(embedding):
    exact = LanguageModelHead(embedding)
    sampled = LanguageModelHead(embedding, keras.random.SeedGenerator(0), 10)
    assert sampled.is_exact(training=False) and not sampled.is_exact(training=True)
    expected, _ = exact.loss(HIDDEN, TARGETS, WEIGHTS, False)
    received, _ = sampled.loss(HIDDEN, TARGETS, WEIGHTS, False)
    assert float(received) == float(expected)
    drawn = [float(sampled.loss(HIDDEN, TARGETS, WEIGHTS, True)[0]) for _ in range(200)]
    assert np.std(drawn) > 0
    assert np.mean(drawn) == pytest.approx(float(expected), rel=0.1)


def test_its_loss_carries_the_gradient_of_the_logits(embedding):
    head = LanguageModelHead(embedding)
    hidden = tf.constant(HIDDEN)
    gradients = []
    for sliced in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(hidden)
            if sliced:
                loss, _ = head.loss(hidden, TARGETS, WEIGHTS, training=True)
            else:
                losses = keras.ops.sparse_categorical_crossentropy(
                    TARGETS, embedding(hidden, reverse=True), from_logits=True
                )
                loss = tf.reduce_sum(losses * WEIGHTS) / WEIGHTS.sum()
        gradients.append(tape.gradient(loss, hidden))
    np.testing.assert_allclose(*gradients, atol=1e-6)


@pytest.mark.parametrize("words", [1, VOCABULARY + 1])
def test_a_sample_of_more_words_than_there_are_is_refused(embedding, words):
    with pytest.raises(ValueError, match="from 2 to the vocabulary's 11 words"):
        LanguageModelHead(embedding, sampled_words=words)
