"""Texts longer, or tokens more, than the backbone can read are refused early."""

import keras_hub
import pytest

from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.text import WordTokenizer


def gpt2(length):
    return keras_hub.models.GPT2Backbone(
        vocabulary_size=24,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=8,
        max_sequence_length=length,
    )


def test_texts_longer_than_the_position_embeddings_are_refused(tokenizer):
    with pytest.raises(ValueError, match="keeps 12 tokens.*GPT2Backbone reads 8 at m"):
        SiATLClassifier(
            gpt2(8), num_classes=2, preprocessor=SiATLPreprocessor(tokenizer, 12)
        )
    model = SiATLClassifier(
        gpt2(12), num_classes=2, preprocessor=SiATLPreprocessor(tokenizer, 12)
    )
    assert model.predict(["so glad " * 30], verbose=0).shape == (1, 2)


def test_a_longer_sequence_length_set_later_is_refused_too(tokenizer):
    preprocessor = SiATLPreprocessor(tokenizer, 8)
    model = SiATLClassifier(gpt2(8), num_classes=2, preprocessor=preprocessor)
    preprocessor.sequence_length = 12
    for call in (model.predict, model.predict_on_batch):
        with pytest.raises(ValueError, match="keeps 12 tokens.*reads 8"):
            call(["so glad"])
    with pytest.raises(ValueError, match="keeps 12 tokens.*reads 8"):
        model.fit(["so glad", "bad"], [0, 1])


def test_a_vocabulary_larger_than_the_embedding_is_refused(tokenizer):
    words = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *map(str, range(30))])
    backbone = LSTMBackbone(20, 4, hidden_dim=4, num_layers=1)
    with pytest.raises(ValueError, match="a tokenizer of 34 tokens.*LSTMBackbone know"):
        SiATLClassifier(backbone, num_classes=2, preprocessor=SiATLPreprocessor(words))
    SiATLClassifier(backbone, num_classes=2, preprocessor=SiATLPreprocessor(tokenizer))
