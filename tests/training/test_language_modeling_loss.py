import keras
import numpy as np
import pytest

from siatl_keras.training import LanguageModelingLoss

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(3, 4, 6)).astype("float32")
TOKENS = RANDOM.integers(0, 6, (3, 4))
WEIGHTS = (np.arange(4)[None] < np.array([[4], [2], [1]])).astype("float32")


def by_hand(logits, tokens):
    shifted = logits - logits.max(-1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return -np.take_along_axis(log_probabilities, tokens[..., None], -1)[..., 0]


def test_it_is_the_mean_over_real_tokens():
    expected = (by_hand(LOGITS, TOKENS) * WEIGHTS).sum() / WEIGHTS.sum()
    loss = LanguageModelingLoss()(TOKENS, LOGITS, sample_weight=WEIGHTS)
    assert float(loss) == pytest.approx(expected, abs=1e-6)


def test_losses_in_place_of_logits_give_the_same():
    loss = LanguageModelingLoss()
    from_logits = loss(TOKENS, LOGITS, sample_weight=WEIGHTS)
    from_losses = loss(TOKENS, by_hand(LOGITS, TOKENS), sample_weight=WEIGHTS)
    assert float(from_logits) == pytest.approx(float(from_losses), abs=1e-6)


def test_padding_does_not_count():
    loss = LanguageModelingLoss()
    padded = np.where(WEIGHTS[..., None] > 0, LOGITS, 100.0)
    assert float(loss(TOKENS, padded, sample_weight=WEIGHTS)) == pytest.approx(
        float(loss(TOKENS, LOGITS, sample_weight=WEIGHTS))
    )


def test_without_weights_every_token_counts():
    expected = by_hand(LOGITS, TOKENS).mean()
    assert float(LanguageModelingLoss()(TOKENS, LOGITS)) == pytest.approx(
        expected, abs=1e-6
    )


def test_no_real_token_is_a_loss_of_zero():
    loss = LanguageModelingLoss()(TOKENS, LOGITS, sample_weight=np.zeros((3, 4)))
    assert float(loss) == 0.0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_it_computes_in_float32(dtype):
    logits = keras.ops.cast(LOGITS * 1000, dtype)
    loss = LanguageModelingLoss()(TOKENS, logits, sample_weight=WEIGHTS)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    exact = keras.ops.convert_to_numpy(keras.ops.cast(logits, "float32"))
    expected = (by_hand(exact, TOKENS) * WEIGHTS).sum() / WEIGHTS.sum()
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_large_token_ids_survive():
    tokens, vocabulary = np.array([[69_999]]), 70_000
    logits = np.zeros((1, 1, vocabulary), "float32")
    logits[..., 69_999] = 50.0
    assert float(LanguageModelingLoss()(tokens, logits)) == pytest.approx(0, abs=1e-6)


def test_config_round_trip():
    loss = keras.losses.deserialize(keras.losses.serialize(LanguageModelingLoss("x")))
    assert isinstance(loss, LanguageModelingLoss)
    assert loss.name == "x"
