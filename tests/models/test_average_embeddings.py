import numpy as np

from siatl_keras.models import average_embeddings

TEXTS = ["so glad", "", "my day is good !", " "]


def test_a_text_is_the_mean_of_its_words_and_of_nothing_else(make_backbone, tokenizer):
    backbone = make_backbone()
    received = average_embeddings(backbone, tokenizer, TEXTS, 80)
    table = backbone.token_embedding.embeddings.numpy()
    words = tokenizer.get_vocabulary()
    for text, row in zip(TEXTS, received, strict=True):
        ids = [words.index(word) for word in text.split()]
        expected = table[ids].mean(0) if ids else np.zeros(6)
        np.testing.assert_allclose(row, expected, atol=1e-6)


def test_no_more_words_are_read_than_asked_for(make_backbone, tokenizer):
    backbone = make_backbone()
    cut = average_embeddings(backbone, tokenizer, ["so glad my flight"], 2)
    short = average_embeddings(backbone, tokenizer, ["so glad"], 2)
    np.testing.assert_allclose(cut, short)
