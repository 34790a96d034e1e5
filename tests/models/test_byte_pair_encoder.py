"""The encoder gives KerasHub's own ids, and does not grow."""

import random

import keras_hub
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rigs import small_backbones as small
from siatl_keras.compat import tokenizer_parts
from siatl_keras.models import SiATLPreprocessor
from siatl_keras.models.byte_pair_encoder import BytePairEncoder

FAMILIES = ["GPT2", "Llama3"]
PIECES = [
    *"abdgoy0123.,?!'६Ĵ\t\n",
    "  ",
    "é",
    "中",
    "\u3000",
    "😀",
    " good",
    " day",
    "'s",
    "<|endoftext|>",
    "</s>",
    "<|im_end|>",
]


def random_texts(count=150, pieces=40):
    generator = random.Random(5)
    return [
        "".join(generator.choices(PIECES, k=generator.randrange(pieces)))
        for _ in range(count)
    ]


def in_graph(function):
    return tf.function(function, input_signature=[tf.TensorSpec([None], tf.string)])


def ids_of_keras_hub(tokenizer, texts, limit=None):
    return in_graph(tokenizer.tokenize)(tf.constant(texts))[:, :limit].to_list()


@pytest.mark.parametrize("family", FAMILIES)
def test_ids_are_those_of_the_tokenizer(family):
    tokenizer = small.small_tokenizer(family)
    encoder = BytePairEncoder(tokenizer)
    texts = [text.encode() for text in random_texts()]
    texts += [b"", b" ", b"\n", b"\xff\xfe abc", b"abc\xe4\xb8", b"a" * 200]
    received = in_graph(lambda x: encoder.encode(x, 300))(tf.constant(texts))
    assert received.dtype == tf.int32
    assert received.to_list() == ids_of_keras_hub(tokenizer, texts)


def test_a_space_before_the_first_word_is_added_where_the_tokenizer_does():
    words = {w: i for i, w in enumerate([*small.LETTERS, "Ġd", "Ġda"])}
    tokenizer = keras_hub.tokenizers.BytePairTokenizer(
        words, ["Ġ d", "Ġd a"], add_prefix_space=True
    )
    encoder = BytePairEncoder(tokenizer)
    received = in_graph(lambda x: encoder.encode(x, 9))(tf.constant(["da da"]))
    assert received.to_list() == [[words["Ġda"], words["Ġda"]]]


@settings(max_examples=30)
@given(st.lists(st.text(max_size=12), max_size=4))
def test_any_texts_have_the_ids_of_the_tokenizer(texts):
    texts = [text.encode("utf-8", "replace") for text in texts]
    # KerasHub's reads nothing after a NUL.
    expected = TOKENIZE(tf.constant([t.replace(b"\0", b"") for t in texts], tf.string))
    received = ENCODE(tf.constant(texts, tf.string))
    assert received.to_list() == expected.to_list()


GPT2 = small.small_tokenizer("GPT2")
ENCODER = BytePairEncoder(GPT2)
ENCODE = in_graph(lambda x: ENCODER.encode(x, 100))
TOKENIZE = in_graph(GPT2.tokenize)


def test_what_follows_a_nul_is_read():
    received = ENCODE(tf.constant([b"good\0 day", b"\0", b"good day"]))
    assert received[0].numpy().tolist() == received[2].numpy().tolist()
    assert received[1].numpy().tolist() == []


def test_cutting_by_bytes_first_does_not_change_the_tokens_that_are_kept():
    tokenizer = small.small_tokenizer("GPT2")
    texts = ["a good day " * 30, "中 é" * 80, *random_texts(20, pieces=150)]
    for limit in (2, 12):
        preprocessor = SiATLPreprocessor(
            tokenizer, limit, add_start_token=False, add_end_token=False
        )
        expected = ids_of_keras_hub(tokenizer, texts, limit)
        assert preprocessor.tokenize(texts).to_list() == expected


def test_a_long_text_costs_what_its_first_tokens_cost():
    preprocessor = SiATLPreprocessor(small.small_tokenizer("GPT2"), 12)
    graph = preprocessor.tokenize
    graph(["warm up"])
    (row,) = graph(["a good day " * 1_000_000]).to_list()
    assert len(row) == 12
    words = preprocessor.tables._parts.split
    seen = []
    preprocessor.tables._parts.split = lambda x: seen.append(x) or words(x)
    preprocessor.tables.encode(tf.constant(["a good day " * 1_000_000]), 12)
    assert tf.strings.length(seen[0]).numpy().max() <= 13 * preprocessor.tables.longest


def test_words_are_not_kept():
    tokenizer = small.small_tokenizer("GPT2")
    before = tokenizer.cache.id2value.size().numpy()
    preprocessor = SiATLPreprocessor(tokenizer)
    preprocessor.tokenize(random_texts())
    preprocessor(random_texts())
    assert tokenizer.cache.id2value.size().numpy() == before


def test_another_vocabulary_makes_another_encoder():
    tokenizer = small.small_tokenizer("GPT2")
    preprocessor = SiATLPreprocessor(tokenizer, add_start_token=False)
    first = preprocessor.tokenize(["day"]).to_list()
    words = {word: 50 - number for word, number in tokenizer.vocabulary.items()}
    tokenizer.set_vocabulary_and_merges(words, tokenizer.merges)
    assert first != preprocessor.tokenize(["day"]).to_list()
    assert preprocessor.tokenize(["day"]).to_list() == [
        [words["day"], words["<|endoftext|>"]]
    ]


def test_tokenizers_with_a_way_of_their_own_keep_it():
    clip = keras_hub.tokenizers.BytePairTokenizer(sequence_length=3)
    assert not tokenizer_parts.has_plain_byte_pairs(clip)
    assert not tokenizer_parts.has_plain_byte_pairs(
        keras_hub.models.CLIPTokenizer(
            {"<|endoftext|>": 0, "<|startoftext|>": 1, "a</w>": 2, "a": 3, "aa</w>": 4},
            ["a a</w>"],
        )
    )
    assert not tokenizer_parts.has_plain_byte_pairs(small.small_tokenizer("Llama"))
    assert tokenizer_parts.has_plain_byte_pairs(small.small_tokenizer("GPT2"))
