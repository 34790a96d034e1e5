"""Tiny models, built in the test: a vocabulary of twenty words, a few units."""

import keras
import pytest

from siatl_keras.models import (
    LSTMBackbone,
    LSTMCausalLM,
    LSTMCausalLMPreprocessor,
    SiATLClassifier,
    SiATLPreprocessor,
)
from siatl_keras.text import WordTokenizer

WORDS = [
    "so",
    "glad",
    "my",
    "flight",
    "is",
    "late",
    "again",
    "what",
    "a",
    "day",
    "!",
    "not",
    "really",
    "good",
    "bad",
    "the",
]
VOCABULARY = ["<pad>", "<s>", "</s>", "<unk>", *WORDS]
TEXTS = [
    "so glad my flight is late again",
    "what a day !",
    "not really good",
    "the day is good",
    "bad bad flight",
    "my flight is not late",
    "good",
    "what a really bad day !",
]
LABELS = ["yes", "no", "no", "no", "yes", "no", "no", "yes"]


@pytest.fixture
def tokenizer():
    return WordTokenizer(VOCABULARY)


@pytest.fixture
def make_backbone():
    def make(**kwargs):
        keras.utils.set_random_seed(3)
        arguments = {"embedding_dim": 6, "hidden_dim": 8, "num_layers": 2, **kwargs}
        return LSTMBackbone(len(VOCABULARY), **arguments)

    return make


@pytest.fixture
def make_lm(make_backbone, tokenizer):
    def make(**kwargs):
        return LSTMCausalLM(
            make_backbone(**kwargs), LSTMCausalLMPreprocessor(tokenizer, 12)
        )

    return make


@pytest.fixture
def make_classifier(make_backbone, tokenizer):
    def make(backbone=None, **kwargs):
        arguments = {"label_names": ["no", "yes"], "units": 5, **kwargs}
        return SiATLClassifier(
            make_backbone(**(backbone or {})),
            preprocessor=SiATLPreprocessor(tokenizer, 12),
            **arguments,
        )

    return make


@pytest.fixture
def texts():
    return list(TEXTS)


@pytest.fixture
def labels():
    return list(LABELS)
