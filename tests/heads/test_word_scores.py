"""Word scores: each word of a text once, by its rarity, beside the head's outputs."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rigs.round_trips import through_config
from siatl_keras.heads import WordScores

WORDS, OUTPUTS = 9, 3
RANDOM = np.random.default_rng(0)
TABLE = RANDOM.normal(size=(WORDS, OUTPUTS)).astype("float32")
RARITY = RANDOM.uniform(1, 5, WORDS).astype("float32")
BIAS = RANDOM.normal(size=OUTPUTS).astype("float32")


def layer(share=1.0):
    made = WordScores(WORDS, OUTPUTS)
    made.build((None, OUTPUTS))
    made.set_scores(TABLE, RARITY, BIAS)
    made.share.assign(share)
    return made


def packed(rows):
    """Pads lists of words on the right, with a word that counts elsewhere."""
    time = max(map(len, rows)) + 1
    ids = np.zeros((len(rows), time), "int32")
    mask = np.zeros((len(rows), time), "int32")
    for row, words in enumerate(rows):
        ids[row, : len(words)], mask[row, : len(words)] = words, 1
    return {"token_ids": ids, "padding_mask": mask}


def by_hand(words):
    different = sorted(set(words))
    length = np.sqrt(sum(RARITY[word] ** 2 for word in different)) or 1.0
    parts = [RARITY[word] / length * TABLE[word] for word in different]
    return np.sum(parts, axis=0) + BIAS if parts else BIAS


FLOATS = st.floats(-9, 9, width=32, allow_subnormal=False)
TEXTS = st.lists(
    st.lists(st.integers(0, WORDS - 1), max_size=7), min_size=1, max_size=5
)


@given(TEXTS)
def test_they_are_those_of_the_different_words_of_a_text(rows):
    found = layer().scores(packed(rows))
    expected = np.stack([by_hand(words) for words in rows])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@given(TEXTS)
def test_where_the_words_of_whole_texts_are_given_they_count(rows):
    whole = packed(rows)
    x = {name: part[:, :1] for name, part in whole.items()}
    x["words"] = np.where(whole["padding_mask"], whole["token_ids"], -1)
    np.testing.assert_array_equal(layer().scores(x), layer().scores(whole))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("training", [False, True])
def test_outputs_are_mixed_but_not_in_training(share, training):
    outputs = RANDOM.normal(size=(2, OUTPUTS)).astype("float32")
    rows = [[4, 1, 4], []]
    expected = np.stack([by_hand(words) for words in rows])
    expected = outputs if training else (1 - share) * outputs + share * expected
    found = layer(share)(outputs, packed(rows), training=training)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@given(arrays.arrays("float32", (2, OUTPUTS), elements=FLOATS))
def test_before_they_are_fitted_outputs_are_what_they_were(outputs):
    found = WordScores(WORDS, OUTPUTS)(outputs, packed([[1, 2], [3]]))
    np.testing.assert_array_equal(found, outputs)


def test_nothing_of_them_is_trained_and_all_of_it_is_kept():
    made = layer(0.5)
    assert not made.trainable_variables and len(made.weights) == 4
    again = through_config(made)
    assert again.variable_dtype == "float32"
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        assert WordScores(WORDS, OUTPUTS).compute_dtype == "float32"
    finally:
        keras.mixed_precision.set_dtype_policy("float32")


@pytest.mark.parametrize("sizes", [(0, 3), (9, 0), (9.5, 3)])
def test_a_size_must_be_a_whole_number(sizes):
    with pytest.raises(ValueError, match="vocabulary_size|num_outputs"):
        WordScores(*sizes)
