import keras
import numpy as np
import pytest

from siatl_keras.layers import (
    AttentionPooling,
    EmbeddingDropout,
    TaskHead,
    TokenEmbedding,
)

SEQUENCE = np.random.default_rng(2).normal(size=(2, 4, 3)).astype("float32")
PADDING_MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0]])


def test_attention_is_the_masked_softmax_of_the_paper():
    layer = AttentionPooling()
    layer.build(SEQUENCE.shape)
    layer.bias.assign(0.3)
    pooled, weights = layer(SEQUENCE, PADDING_MASK)
    scores = np.exp(np.tanh(SEQUENCE @ layer.kernel.numpy() + 0.3)) * PADDING_MASK
    expected = scores / scores.sum(-1, keepdims=True)
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    np.testing.assert_allclose(
        pooled, (SEQUENCE * expected[..., None]).sum(1), atol=1e-6
    )


def test_attention_over_nothing_is_finite():
    _, weights = AttentionPooling()(SEQUENCE, np.zeros((2, 4)))
    np.testing.assert_allclose(weights, 0.25)


def test_embedding_dropout_drops_words_everywhere_or_nowhere():
    layer = EmbeddingDropout(50, 0.5, seed=0)
    ids = np.tile(np.arange(50), (2, 2))
    dropped = layer(np.ones((2, 100, 3), "float32"), ids, training=True).numpy()
    by_word = dropped.reshape(4, 50, 3)
    assert (by_word == by_word[:1, :, :1]).all()
    assert set(np.unique(dropped)) == {0.0, 2.0}
    assert 0.2 < (by_word[0, :, 0] == 0).mean() < 0.8


def test_embedding_dropout_is_off_outside_training():
    ones = np.ones((1, 2, 3), "float32")
    np.testing.assert_allclose(EmbeddingDropout(5, 0.9)(ones, np.array([[1, 2]])), ones)


def test_token_embedding_adds_its_bias_to_the_logits():
    layer = TokenEmbedding(7, 3)
    layer.build()
    layer.reverse_bias.assign(np.arange(7.0))
    logits = layer(SEQUENCE, reverse=True)
    expected = SEQUENCE @ layer.embeddings.numpy().T + np.arange(7.0)
    np.testing.assert_allclose(logits, expected, atol=1e-5)


def test_last_pooling_takes_the_last_real_step():
    keras.utils.set_random_seed(0)
    head = TaskHead(3, units=4, pooling="last")
    logits, weights = head(SEQUENCE, PADDING_MASK)
    assert weights.numpy().tolist() == [[0, 0, 0, 1], [0, 1, 0, 0]]
    short, _ = head(SEQUENCE[1:, :2], PADDING_MASK[1:, :2])
    np.testing.assert_allclose(logits[1], short[0], atol=1e-6)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="`pooling` must be one of"):
        TaskHead(2, pooling="first")
    with pytest.raises(ValueError, match="`num_classes` must be at least 2"):
        TaskHead(1)
    with pytest.raises(ValueError, match=r"`rate` must be in \[0, 1\)"):
        EmbeddingDropout(5, 1.0)
