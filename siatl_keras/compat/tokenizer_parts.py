"""What of KerasHub's tokenizers is private and we must touch.

Each part says why it exists and the version it was checked against; each has a test in
`tests/compat/test_tokenizer_parts.py` that fails first when KerasHub moves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf
from keras_hub.src.tokenizers import byte_pair_tokenizer


def add_special_token(tokenizer: Any, token: str, name: str) -> None:
    """Tells a tokenizer of its own about a special token.

    KerasHub's tokenizers do so in their constructors; there is no public way.
    Checked against KerasHub 0.32.0.

    Args:
        tokenizer: a `keras_hub.tokenizers.Tokenizer`.
        token: such as "<s>".
        name: of its attribute, such as "start_token", whose id is `<name>_id`.
    """
    tokenizer._add_special_token(token, name)


def update_special_token_ids(tokenizer: Any) -> None:
    """Sets the ids of the special tokens from the tokenizer's vocabulary.

    Checked against KerasHub 0.32.0.

    Args:
        tokenizer: a `keras_hub.tokenizers.Tokenizer`, its vocabulary set.
    """
    tokenizer._update_special_token_ids()


def has_plain_byte_pairs(tokenizer: Any) -> bool:
    """Whether `BytePairParts` does what a tokenizer does.

    CLIP's and one of Mistral's tokenizers have a way of their own.
    Checked against KerasHub 0.32.0.

    Args:
        tokenizer: a `keras_hub.tokenizers.Tokenizer`.
    """
    plain = byte_pair_tokenizer.BytePairTokenizer
    return (
        isinstance(tokenizer, plain)
        and type(tokenizer)._tokenize_tf is plain._tokenize_tf
        and type(tokenizer)._bpe_merge_tf is plain._bpe_merge_tf
        and not tokenizer.sequence_length
        and tokenizer.vocabulary is not None
    )


class BytePairSplitting(NamedTuple):
    """How a byte-pair tokenizer splits texts into words, in this order.

    RE2 has no look-ahead, so that a mark stands before spaces that belong to the next
    word, and is dropped in the end.

    Attributes:
        mark: the character.
        marks: patterns, and what is written in their place.
        stand_ins: tokens that are not split, and the letters that stand for each.
        patterns: at whose matches a text is split.
    """

    mark: str
    marks: tuple[tuple[str, str], ...]
    stand_ins: tuple[tuple[str, str], ...]
    patterns: tuple[str, str]


def byte_pair_splitting(tokenizer: Any) -> BytePairSplitting:
    """Describes what KerasHub's `split_strings_for_bpe` does.

    It is written nowhere but in that function. Checked against KerasHub 0.32.0.

    Args:
        tokenizer: see `has_plain_byte_pairs`.
    """
    mark, spaces = "६", byte_pair_tokenizer.SPECIAL_WHITESPACES
    kept = tokenizer.unsplittable_tokens or []
    letters = byte_pair_tokenizer.create_alts_for_unsplittable_tokens(kept)
    return BytePairSplitting(
        mark,
        (
            (rf"( )([^\s{spaces}])", rf"{mark}\1\2"),
            (rf"(\s{spaces})$", rf"\1{mark}"),
        ),
        tuple(zip(kept, letters, strict=True)),
        (byte_pair_tokenizer.SPLIT_PATTERN_1, byte_pair_tokenizer.SPLIT_PATTERN_2),
    )


def byte_characters() -> str:
    """Returns the characters that stand for the 256 bytes, in their order.

    Checked against KerasHub 0.32.0.
    """
    values, characters = byte_pair_tokenizer.bytes_to_unicode()
    return "".join(c for _, c in sorted(zip(values, characters, strict=True)))


class BytePairParts:
    """Steps of a byte-pair tokenizer, without the cache between them.

    KerasHub has no switch for the cache, which keeps every word for good.
    Checked against KerasHub 0.32.0.

    Args:
        tokenizer: see `has_plain_byte_pairs`.
    """

    def __init__(self, tokenizer: Any) -> None:
        tokenizer._maybe_initialized_tf()
        self._ranks = tokenizer.merge_ranks
        self._add_prefix_space = tokenizer.add_prefix_space
        self._unsplittable_tokens = tokenizer.unsplittable_tokens
        self._byte_of = {
            character: bytes([byte]) for byte, character in enumerate(byte_characters())
        }

    def is_of(self, tokenizer: Any) -> bool:
        """Whether the tokenizer has kept its vocabulary and merges since."""
        return tokenizer.merge_ranks is self._ranks

    def split(self, texts: Any) -> Any:
        """Splits texts, string `[batch]`, into words, string ragged `[batch, None]`."""
        if self._add_prefix_space:
            texts = tf.strings.join([" ", texts])
        return byte_pair_tokenizer.split_strings_for_bpe(
            texts, self._unsplittable_tokens
        )

    def bytes_of(self, token: str) -> bytes | None:
        """Returns the bytes that a token of the vocabulary stands for, if any."""
        if not all(character in self._byte_of for character in token):
            return None
        return b"".join(self._byte_of[character] for character in token)
