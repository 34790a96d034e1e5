"""Fails first when a new KerasHub changes what `compat.tokenizer_parts` relies on."""

import keras_hub
import tensorflow as tf

from siatl_keras.compat import tokenizer_parts


def test_tokenizer_parts_are_still_made_by_the_parts_that_we_know():
    words = {word: number for number, word in enumerate([*"dayĠ", "da", "day"])}
    tokenizer = keras_hub.tokenizers.BytePairTokenizer(words, ["d a", "da y"])
    assert tokenizer_parts.has_plain_byte_pairs(tokenizer)
    parts = tokenizer_parts.BytePairParts(tokenizer)
    assert parts.split(["day da"]).to_list() == [[b"day", b" da"]]
    assert parts.merge(tf.constant([b"day", b" da"])).to_list() == [[5], [3, 4]]
    assert parts.bytes_of("Ġda") == b" da" and parts.bytes_of("日") is None
    assert parts.is_of(tokenizer)
    tokenizer.set_vocabulary_and_merges(words, ["d a"])
    assert not parts.is_of(tokenizer)


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
