import keras
import numpy as np
import pytest

from rigs.round_trips import through_config
from siatl_keras.heads import AttentionPooling, ConcatPooling, LinearBlock, TaskHead
from siatl_keras.layers import EmbeddingDropout, TokenEmbedding

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


def test_an_untied_output_layer_may_be_wider_than_the_embedding():
    layer = TokenEmbedding(7, 2, reverse_dim=3, tie_weights=False)
    layer.build()
    layer.reverse_bias.assign(np.arange(7.0))
    assert layer(np.array([[1, 6]])).shape == (1, 2, 2)
    logits = layer(SEQUENCE, reverse=True)
    expected = SEQUENCE @ layer.reverse_embeddings.numpy() + np.arange(7.0)
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    again = through_config(layer)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(SEQUENCE, reverse=True), logits)


def test_a_tied_output_layer_has_the_width_of_the_embedding():
    with pytest.raises(ValueError, match="tie_weights=False.*reverse_dim=3"):
        TokenEmbedding(7, 2, reverse_dim=3)


def test_last_pooling_takes_the_last_real_step():
    keras.utils.set_random_seed(0)
    head = TaskHead(3, units=4, pooling="last")
    logits, weights = head(SEQUENCE, PADDING_MASK)
    assert weights.numpy().tolist() == [[0, 0, 0, 1], [0, 1, 0, 0]]
    short, _ = head(SEQUENCE[1:, :2], PADDING_MASK[1:, :2])
    np.testing.assert_allclose(logits[1], short[0], atol=1e-6)


def test_large_states_decide_nothing_before_the_head_has_learned():
    large = SEQUENCE + np.array([0.0, 0.0, -18.0])
    logits, _ = TaskHead(3, num_layers=0)(large, PADDING_MASK)
    assert not logits.numpy().any()
    logits, _ = TaskHead(3, units=4)(large, PADDING_MASK)
    assert logits.numpy().all()


def test_concat_pooling_joins_last_maximum_and_mean():
    pooled = ConcatPooling()(SEQUENCE, PADDING_MASK)[0].numpy()
    for row, length in enumerate((4, 2)):
        real = SEQUENCE[row, :length]
        expected = np.concatenate([real[-1], real.max(0), real.mean(0)])
        np.testing.assert_allclose(pooled[row], expected, atol=1e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "float16"])
@pytest.mark.parametrize("filling", [0.0, 7.0, -7.0, np.nan])
def test_padding_never_changes_concat_pooling(policy, filling):
    layer = ConcatPooling(dtype=policy)
    short, _ = layer(SEQUENCE[:, :2], np.ones((2, 2)))
    padded = np.concatenate([SEQUENCE[:, :2], np.full((2, 5, 3), filling)], 1)
    mask = np.array([[1, 1, 0, 0, 0, 0, 0]] * 2)
    received, _ = layer(padded.astype("float32"), mask)
    assert received.dtype == layer.compute_dtype
    np.testing.assert_allclose(received.numpy(), short.numpy(), rtol=1e-6)


def test_concat_pooling_of_a_long_text_is_finite_in_half_precision():
    # The sum of the states is beyond float16's largest number, 65 504.
    long, mask = np.full((1, 900, 2), 100.0), np.ones((1, 900))
    pooled, _ = ConcatPooling(dtype="float16")(long, mask)
    np.testing.assert_allclose(pooled, 100.0)


def test_concat_pooling_over_nothing_is_zero():
    assert (ConcatPooling()(SEQUENCE - 9.0, np.zeros((2, 4)))[0].numpy() == 0).all()


def test_linear_block_normalises_then_maps():
    inputs = 5.0 + 3.0 * np.random.default_rng(1).normal(size=(64, 3))
    block = LinearBlock(2, activation="relu")
    received = block(inputs, training=True).numpy()
    mean, variance = inputs.mean(0), inputs.var(0)
    normal = (inputs - mean) / np.sqrt(variance + block.normalization.epsilon)
    expected = np.maximum(normal @ block.linear.kernel.numpy(), 0.0)
    np.testing.assert_allclose(received, expected, atol=1e-4)
    assert (expected > 0).any() and (received == 0).any()


def test_linear_block_knows_the_data_after_a_short_epoch():
    inputs = 5.0 + 3.0 * np.random.default_rng(1).normal(size=(64, 3))
    block = LinearBlock(2)
    for _ in range(25):
        trained = block(inputs, training=True)
    evaluated = block(inputs, training=False)
    np.testing.assert_allclose(evaluated, trained, atol=0.5)


def test_linear_block_drops_in_training_alone():
    inputs = np.random.default_rng(1).normal(size=(8, 3)).astype("float32")
    plain, dropping = LinearBlock(2), LinearBlock(2, dropout=0.5)
    for block in (plain, dropping):
        block.build(inputs.shape)
    dropping.linear.kernel.assign(plain.linear.kernel)
    np.testing.assert_allclose(dropping(inputs), plain(inputs))
    trained = dropping(inputs, training=True).numpy()
    assert (trained != plain(inputs, training=True).numpy()).any()


def test_ulmfit_head_has_two_linear_blocks():
    head = TaskHead(3, num_layers=0, pooling="concat", block_units=5, block_dropout=0.1)
    logits, weights = head(SEQUENCE, PADDING_MASK)
    assert logits.shape == (2, 3) and not weights.numpy().any()
    assert [tuple(w.shape) for w in head.trainable_weights] == [
        *((9,), (9,), (9, 5), (5,)),
        *((5,), (5,), (5, 3), (3,)),
    ]
    assert through_config(head).block_units == 5


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="`pooling` must be one of"):
        TaskHead(2, pooling="first")
    with pytest.raises(ValueError, match="at least 0.*num_layers=-1"):
        TaskHead(2, num_layers=-1)
    with pytest.raises(ValueError, match="`num_outputs` must be a whole number"):
        TaskHead(0)
    with pytest.raises(ValueError, match=r"`rate` must be a number in \[0, 1\)"):
        EmbeddingDropout(5, 1.0)
