"""Texts of letters, and whether they have an a: for models that are made in a test."""

import numpy as np

from siatl_keras.text import WordTokenizer

LETTERS = list("abcdefghij")
CLASSES = ["with", "without"]


def letters_tokenizer():
    """Returns a tokenizer of the letters."""
    return WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *LETTERS])


def letter_texts(count, shortest, longest):
    """Draws texts, always the same.

    Args:
        count: int, number of texts.
        shortest: int, least letters.
        longest: int, what all have fewer letters than.

    Returns:
        `(texts, labels)`, the labels names of `CLASSES`.
    """
    random = np.random.default_rng(0)
    texts = [
        " ".join(random.choice(LETTERS, random.integers(shortest, longest)))
        for _ in range(count)
    ]
    return texts, [CLASSES["a" not in text] for text in texts]
