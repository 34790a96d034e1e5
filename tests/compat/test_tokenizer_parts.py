"""Fails first when a new KerasHub changes what `compat.tokenizer_parts` relies on."""

import re

import keras_hub
import tensorflow as tf
import tensorflow_text as tf_text

from siatl_keras.compat import tokenizer_parts


def test_tokenizer_parts_are_still_made_by_the_parts_that_we_know():
    words = {word: number for number, word in enumerate([*"dayĠ", "da", "day"])}
    tokenizer = keras_hub.tokenizers.BytePairTokenizer(words, ["d a", "da y"])
    assert tokenizer_parts.has_plain_byte_pairs(tokenizer)
    parts = tokenizer_parts.BytePairParts(tokenizer)
    assert parts.split(["day da"]).to_list() == [[b"day", b" da"]]
    assert parts.bytes_of("Ġda") == b" da" and parts.bytes_of("日") is None
    assert parts.is_of(tokenizer)
    tokenizer.set_vocabulary_and_merges(words, ["d a"])
    assert not parts.is_of(tokenizer)


def test_a_byte_pair_tokenizer_still_splits_as_we_describe_it():
    tokenizer = keras_hub.tokenizers.BytePairTokenizer(
        {word: number for number, word in enumerate([*"dayĠ", "da", "<|end|>"])},
        ["d a"],
        unsplittable_tokens=["<|end|>"],
    )
    parts = tokenizer_parts.BytePairParts(tokenizer)
    splitting = tokenizer_parts.byte_pair_splitting(tokenizer)
    text = "  it's  a day,\n\n 12 days\u00a0<|end|>  no. \t"
    marked = text
    for find, write in splitting.marks:
        marked = tf.strings.regex_replace(marked, find, write)
    ((token, stand_in),) = splitting.stand_ins
    pieces = tf.strings.regex_replace(
        tf_text.regex_split(marked, re.escape(token), re.escape(token)),
        re.escape(token),
        stand_in,
    )
    for pattern in splitting.patterns:
        pieces = tf_text.regex_split(pieces.flat_values, pattern, pattern)
    found = [
        piece.decode().replace(stand_in, token) for piece in pieces.flat_values.numpy()
    ]
    found = [piece for piece in found if piece != splitting.mark]
    assert found == [
        piece.decode() for piece in parts.split([text]).flat_values.numpy()
    ]
    assert token in found
    characters = tokenizer_parts.byte_characters()
    assert len(characters) == 256
    assert [characters[byte] for byte in "é ".encode()] == ["Ã", "©", "Ġ"]


def test_a_tokenizer_knows_the_ids_of_its_special_tokens():
    class Words(keras_hub.tokenizers.Tokenizer):
        def token_to_id(self, token):
            return ["a", "<s>"].index(token)

        def get_vocabulary(self):
            return ["a", "<s>"]

    tokenizer = Words()
    tokenizer_parts.add_special_token(tokenizer, "<s>", "start_token")
    tokenizer_parts.update_special_token_ids(tokenizer)
    assert (tokenizer.start_token, tokenizer.start_token_id) == ("<s>", 1)
