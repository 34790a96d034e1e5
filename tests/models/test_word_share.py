"""The share of a classifier's words, chosen on what nothing has learned from."""

import keras
import numpy as np
import pytest

from siatl_keras.models import (
    LSTMBackbone,
    SiATLClassifier,
    SiATLPreprocessor,
    learn_word_scores,
    word_outputs,
    word_share,
)
from siatl_keras.text import WordTokenizer

TEXTS = ["good night", "bad night"] * 10
TARGETS = np.array([1, 0] * 10)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", "good", "bad", "night"])
    model = SiATLClassifier(
        LSTMBackbone(7, 4, hidden_dim=4, num_layers=1),
        preprocessor=SiATLPreprocessor(tokenizer, 8),
        label_names=["bad", "good"],
        word_scores=True,
        units=4,
    )
    learn_word_scores(model, TEXTS, ["good", "bad"] * 10)
    return model


def test_the_words_alone_are_what_the_model_answers_where_they_have_it_all(model):
    before = model.predict(TEXTS, verbose=0)
    alone = word_outputs(model, TEXTS)
    assert (alone.argmax(1) == TARGETS).all()
    assert np.abs(alone - before).max() > 1
    model.word_scores.share.assign(1.0)
    np.testing.assert_allclose(model.predict(TEXTS, verbose=0), alone, atol=1e-5)
    model.word_scores.share.assign(0.0)


def test_who_is_right_has_the_greater_share(model):
    targets = np.tile(TARGETS, 20)
    right = 4.0 * np.eye(2)[targets]
    random = np.random.default_rng(0).normal(size=right.shape)
    shares = [
        word_share(model, targets, outputs, words)
        for outputs, words in ((right, random), (right, right), (random, right))
    ]
    assert shares[0] < 0.45 and shares[2] > 0.55
    assert shares[1] == pytest.approx(0.5)  # Nothing says otherwise.


def test_the_fewer_texts_there_are_the_less_it_moves(model):
    right = 4.0 * np.eye(2)[TARGETS]
    random = np.random.default_rng(0).normal(size=right.shape)
    few, many = (word_share(model, TARGETS[:n], random[:n], right[:n]) for n in (2, 20))
    assert 0.5 <= few < many
