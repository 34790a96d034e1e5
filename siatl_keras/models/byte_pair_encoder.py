"""`BytePairEncoder`: KerasHub's byte-pair tokenizers without their cache.

`BytePairTokenizer` keeps every word that it has not seen in a table that only grows:
120 000 new words took 12 MB in a served model. Here words that are one token, most of
any text, stand in a table that is made once, and others are merged each time.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tokenizers

from siatl_keras.compat import tokenizer_parts
from siatl_keras.models.byte_pair_merges import BytePairMerges
from siatl_keras.models.cut_bytes import cut_bytes


class BytePairEncoder(tf.Module):
    """Gives a tokenizer's ids, in a graph, and remembers nothing.

    Args:
        tokenizer: a `keras_hub.tokenizers.BytePairTokenizer` of which
            `tokenizer_parts.has_plain_byte_pairs` is true.

    Attributes:
        longest: int, bytes of the longest token.
    """

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(name="byte_pair_encoder")
        self._parts = tokenizer_parts.BytePairParts(tokenizer)
        merges = _merges_of(tokenizer)
        self._merge = BytePairMerges(
            tokenizer.vocabulary, merges, tokenizer_parts.byte_characters()
        )
        words = self._words_of_one_token(tokenizer, merges)
        self.longest = max(map(len, words))
        self._whole = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                list(words), list(words.values()), tf.string, tf.int32
            ),
            default_value=-1,
        )

    def is_of(self, tokenizer: Any) -> bool:
        """Whether the tokenizer still has the vocabulary that this was made of."""
        return self._parts.is_of(tokenizer)

    def encode(self, texts: tf.Tensor, most_tokens: int) -> tf.RaggedTensor:
        """Tokenizes.

        Args:
            texts: string `[batch]`.
            most_tokens: int, tokens that are needed of each text. Bytes that can only
                belong to later ones are cut off first.

        Returns:
            int32 ragged `[batch, None]`.
        """
        # tensorflow_text takes NUL for a text's end, and would lose what follows.
        texts = tf.strings.regex_replace(texts, r"\x00", "")
        # With a token more, for a word in the middle of which the cut falls.
        texts = cut_bytes(texts, (most_tokens + 1) * max(self.longest, 4))
        words = self._parts.split(texts)
        distinct, places = tf.unique(words.flat_values, tf.int64)
        ids = self._whole.lookup(distinct)
        others = ids < 0
        merged = self._merge(tf.boolean_mask(distinct, others))
        rows = tf.concat([tf.RaggedTensor.from_tensor(ids[:, None]), merged], axis=0)
        after = tf.size(ids, tf.int64) + tf.cumsum(tf.cast(others, tf.int64)) - 1
        row_of = tf.where(others, after, tf.range(tf.size(ids, tf.int64)))
        tokens = tf.gather(rows, tf.gather(row_of, places))
        return tf.RaggedTensor.from_row_splits(
            tokens.flat_values, tf.gather(tokens.row_splits, words.row_splits)
        )

    def _words_of_one_token(
        self, tokenizer: Any, merges: list[tuple[str, str]]
    ) -> dict[bytes, int]:
        model = tokenizers.models.BPE(vocab=tokenizer.vocabulary, merges=merges)
        words = {}
        for token, number in tokenizer.vocabulary.items():
            word = self._parts.bytes_of(token)
            if token in tokenizer.unsplittable_tokens:
                words[token.encode()] = number
            elif word and len(model.tokenize(token)) == 1:
                words[word] = number
        return words


def _merges_of(tokenizer: Any) -> list[tuple[str, str]]:
    """Returns the pairs that are joined, without the header of a file of them."""
    pairs = (merge.split(" ") for merge in tokenizer.merges if "#version:" not in merge)
    return [(left, right) for left, right in pairs]
