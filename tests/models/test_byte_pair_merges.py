"""Byte pairs are joined as another implementation joins them, whatever the word."""

import functools
import random

import pytest
import tensorflow as tf
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from rigs import small_backbones as small
from siatl_keras.compat.tokenizer_parts import byte_characters
from siatl_keras.models.byte_pair_merges import LONGEST_PIECE, BytePairMerges

# Of letters that repeat, so that pairs overlap, and are joined in many orders.
VOCABULARY = {
    token: number
    for number, token in enumerate(
        [*byte_characters(), "aa", "aaaa", "ab", "ba", "aab", "abab", "bb", "abb", "Ã©"]
    )
}
MERGES = ["a a", "b b", "a b", "b a", "aa aa", "ab ab", "aa b", "a bb", "Ã ©"]
WORDS = st.lists(st.text("aabbcé\0🎈", max_size=40), max_size=6)


def merges_of(lines):
    return [tuple(line.split(" ")) for line in lines]


@functools.cache
def joined_and_expected():
    """Returns the function, and Hugging Face's for one word."""
    merge = BytePairMerges(VOCABULARY, merges_of(MERGES), byte_characters())
    other = tokenizers.models.BPE(vocab=VOCABULARY, merges=merges_of(MERGES))
    characters = byte_characters()

    def expected(word):
        text = "".join(characters[byte] for byte in word.encode())
        return [token.id for token in other.tokenize(text)] if text else []

    inputs = [tf.TensorSpec([None], tf.string)]
    return tf.function(merge, input_signature=inputs), expected


@given(WORDS)
def test_any_words_are_joined_as_another_implementation_joins_them(words):
    joined, expected = joined_and_expected()
    words = tf.constant([word.encode() for word in words], tf.string)
    received = joined(words)
    assert received.dtype == tf.int32
    assert received.to_list() == [expected(w.decode()) for w in words.numpy().tolist()]


def test_runs_of_one_letter_are_joined_from_the_left():
    joined, expected = joined_and_expected()
    words = ["a" * length for length in range(20)]
    assert joined(tf.constant(words)).to_list() == list(map(expected, words))


@pytest.mark.parametrize("letters", ["a", "ab", "aabbc"])
def test_a_longer_word_is_joined_in_pieces(letters):
    joined, expected = joined_and_expected()
    generator = random.Random(2)
    word = "".join(generator.choices(letters, k=3 * LONGEST_PIECE + 7))
    starts = range(0, len(word), LONGEST_PIECE)
    pieces = [expected(word[start : start + LONGEST_PIECE]) for start in starts]
    (received, one, none) = joined(tf.constant([word, "a", ""])).to_list()
    assert received == [number for piece in pieces for number in piece]
    assert (one, none) == ([VOCABULARY["a"]], [])


def test_a_megabyte_without_a_space_is_joined():
    joined, _ = joined_and_expected()
    (received,) = joined(tf.constant(["ab" * 500_000])).to_list()
    assert received == [VOCABULARY["abab"]] * 250_000


def test_what_is_joined_on_the_way_need_not_be_in_the_vocabulary():
    merge = BytePairMerges({"a": 0, "abab": 7}, [("a", "b"), ("ab", "ab")], "ab" * 128)
    assert merge(tf.constant([b"\0\1\0\1", b"\0\1", b"\1"])).to_list() == [
        [7],
        [-1],
        [-1],
    ]


def test_the_first_of_two_equal_pairs_counts():
    pairs = [("a", "b"), ("b", "a"), ("a", "b")]
    merge = BytePairMerges({"a": 0, "b": 1, "ab": 2, "ba": 3}, pairs, "ab" * 128)
    assert merge(tf.constant([b"\0\1\0"])).to_list() == [[2, 0]]


def test_without_merges_words_are_their_bytes():
    merge = BytePairMerges({"a": 0, "b": 1}, [], "ab" * 128)
    assert merge(tf.constant([b"\0\1\1"])).to_list() == [[0, 1, 1]]


def test_the_merges_of_a_tokenizer_give_its_own_ids():
    tokenizer = small.small_tokenizer("GPT2")
    lines = [line for line in tokenizer.merges if "#version:" not in line]
    merge = BytePairMerges(tokenizer.vocabulary, merges_of(lines), byte_characters())
    words = ["good", "day", " good", "goodday", " dgooayd"]
    received = merge(tf.constant(words)).to_list()
    assert received == [tokenizer(word).tolist() for word in words]
