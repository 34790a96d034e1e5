import keras
import numpy as np
import pytest

from siatl_keras.training import TokenPerplexity

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(4, 3, 6)).astype("float32")
TOKENS = RANDOM.integers(0, 6, (4, 3))
WEIGHTS = (np.arange(3)[None] < np.array([[3], [1], [2], [1]])).astype("float32")


def losses():
    return keras.ops.convert_to_numpy(
        keras.ops.sparse_categorical_crossentropy(TOKENS, LOGITS, from_logits=True)
    )


def test_it_is_over_tokens_not_over_batches():
    metric = TokenPerplexity()
    # Batches of 1 row of 3 steps, 1 row of 1 step and 2 rows of 2 steps.
    for rows, steps in (([0], 3), ([1], 1), ([2, 3], 2)):
        batch = [array[rows, :steps] for array in (TOKENS, LOGITS, WEIGHTS)]
        metric.update_state(*batch[:2], sample_weight=batch[2])
    expected = np.exp((losses() * WEIGHTS).sum() / WEIGHTS.sum())
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)


def test_losses_in_place_of_logits_give_the_same():
    from_logits, from_losses = TokenPerplexity(), TokenPerplexity()
    from_logits.update_state(TOKENS, LOGITS, sample_weight=WEIGHTS)
    from_losses.update_state(TOKENS, losses(), sample_weight=WEIGHTS)
    assert float(from_logits.result()) == pytest.approx(float(from_losses.result()))


def test_an_even_guess_is_as_perplexed_as_the_vocabulary_is_large():
    metric = TokenPerplexity()
    metric.update_state(TOKENS, np.zeros((4, 3, 6)), sample_weight=WEIGHTS)
    assert float(metric.result()) == pytest.approx(6.0, rel=1e-5)


def test_no_token_is_no_nan():
    metric = TokenPerplexity()
    metric.update_state(TOKENS, LOGITS, sample_weight=np.zeros((4, 3)))
    assert np.isfinite(float(metric.result()))


def test_config_round_trip():
    metric = keras.metrics.deserialize(keras.metrics.serialize(TokenPerplexity("p")))
    assert isinstance(metric, TokenPerplexity)
    assert metric.name == "p"
