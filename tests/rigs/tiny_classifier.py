"""A tiny `SiATLClassifier` with texts to learn from, for scripts that tests start."""

import keras
import numpy as np

from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.text import WordTokenizer

WORDS = [f"w{index}" for index in range(12)]


def tiny_texts(rows=24, seed=0):
    """`(texts, labels)`: one to eight words, which of three classes is in the words."""
    random = np.random.default_rng(seed)
    texts = [" ".join(random.choice(WORDS, random.integers(1, 9))) for _ in range(rows)]
    labels = [("w1" in text.split()) + ("w2" in text.split()) for text in texts]
    return texts, labels


def tiny_classifier(optimizer=None, dropout=0.0, **head):
    """A compiled classifier with the same weights at every call."""
    keras.utils.set_random_seed(1)
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *WORDS])
    backbone = LSTMBackbone(
        tokenizer.vocabulary_size(),
        embedding_dim=6,
        hidden_dim=8,
        num_layers=2,
        embedding_dropout=dropout,
        hidden_dropout=dropout,
        recurrent_weight_dropout=dropout,
    )
    model = SiATLClassifier(
        backbone,
        num_classes=3,
        preprocessor=SiATLPreprocessor(tokenizer, sequence_length=12),
        attention_dropout=dropout,
        **{"units": 5, **head},
    )
    if optimizer is not None:
        model.compile(optimizer)
    return model
