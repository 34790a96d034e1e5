import keras
import numpy as np
import pytest

from rigs.round_trips import through_config
from siatl_keras.metrics import TokenPerplexity

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(4, 3, 6)).astype("float32")
TOKENS = RANDOM.integers(0, 6, (4, 3))
WEIGHTS = (np.arange(3)[None] < np.array([[3], [1], [2], [1]])).astype("float32")


LOSSES = keras.ops.convert_to_numpy(
    keras.ops.sparse_categorical_crossentropy(TOKENS, LOGITS, from_logits=True)
)


def test_it_is_over_tokens_not_over_batches():
    metric = TokenPerplexity()
    # Batches of 1 row of 3 steps, 1 row of 1 step and 2 rows of 2 steps.
    for rows, steps in (([0], 3), ([1], 1), ([2, 3], 2)):
        losses, weights = (array[rows, :steps] for array in (LOSSES, WEIGHTS))
        metric.update_state(losses, sample_weight=weights)
    expected = np.exp((LOSSES * WEIGHTS).sum() / WEIGHTS.sum())
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)


def test_an_even_guess_is_as_perplexed_as_the_vocabulary_is_large():
    metric = TokenPerplexity()
    metric.update_state(np.full((4, 3), np.log(6.0)), sample_weight=WEIGHTS)
    assert float(metric.result()) == pytest.approx(6.0, rel=1e-5)


def test_no_token_is_no_nan():
    metric = TokenPerplexity()
    metric.update_state(LOSSES, sample_weight=np.zeros((4, 3)))
    assert np.isfinite(float(metric.result()))


def test_config_round_trip():
    metric = through_config(TokenPerplexity("p"))
    assert isinstance(metric, TokenPerplexity)
    assert metric.name == "p"
