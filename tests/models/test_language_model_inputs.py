"""LSTMCausalLM's fit, evaluate and score: texts, and nothing that it would ignore."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf


@pytest.fixture
def lm(make_lm):
    lm = make_lm()
    lm.compile(keras.optimizers.SGD(0.0))
    return lm


def test_evaluate_and_score_take_texts_by_position(lm, texts):
    expected = lm.evaluate(texts, return_dict=True, verbose=0)
    scores = lm.score(texts)
    for same in (
        tuple(texts),
        np.array(texts),
        tf.constant(texts),
        pd.Series(texts, index=[4] * 8),
    ):
        figures = lm.evaluate(same, return_dict=True, verbose=0)
        assert figures == pytest.approx(expected)
        np.testing.assert_allclose(lm.score(same), scores)


def test_validation_texts_come_with_or_without_a_tuple(lm, texts):
    expected = lm.evaluate(texts[:4], return_dict=True, verbose=0)["perplexity"]
    for data in (
        texts[:4],
        (texts[:4],),
        pd.Series(texts[:4], index=[9, 1, 3, 2]),
        tf.data.Dataset.from_tensor_slices(texts[:4]).batch(4),
    ):
        history = lm.fit(texts, validation_data=data, verbose=0).history
        assert history["val_perplexity"] == pytest.approx([expected])


def test_validation_split_holds_out_the_last_texts(lm, texts):
    expected = lm.evaluate(texts[6:], return_dict=True, verbose=0)["perplexity"]
    history = lm.fit(texts, validation_split=0.25, verbose=0).history
    assert history["val_perplexity"] == pytest.approx([expected])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": "so glad"}, "`x` must be a list. Received one string"),
        ({"x": None}, "`x` is missing"),
        ({"x": []}, "`x` is empty"),
        ({"x": ["so", None]}, "`x` has no text in row 1"),
        ({"x": ["so", np.nan]}, "`x` has no text in row 1"),
        ({"x": [1, 2]}, "row 0: 1, a int"),
        ({"x": ["so"], "y": [1]}, "`y` has no effect on a language model"),
        ({"x": ["so"], "sample_weight": [1.0]}, "`sample_weight` has no effect"),
        ({"x": tf.data.Dataset.from_tensor_slices(["so"])}, "not batched"),
    ],
)
def test_what_would_be_ignored_or_misread_is_refused(lm, arguments, message):
    for call in (lm.fit, lm.evaluate):
        with pytest.raises(ValueError, match=message):
            call(**arguments, verbose=0)


def test_one_string_is_not_scored_by_the_character(lm):
    with pytest.raises(ValueError, match="`texts` must be a list"):
        lm.score("so glad")
    with pytest.raises(ValueError, match=r"`validation_data` must be a list"):
        lm.fit(["so"], validation_data="so glad", verbose=0)
