"""SiATLPreprocessor: single texts and pairs, and what it refuses."""

import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from siatl_keras.models import SiATLPreprocessor

PAIRS = [("so glad", "what a day !"), ("good", ""), ("", ""), ("bad " * 9, "late")]


@pytest.fixture
def pairs(tokenizer):
    def make(sequence_length=12, **kwargs):
        return SiATLPreprocessor(tokenizer, sequence_length, pairs=True, **kwargs)

    return make


def words(preprocessor, rows):
    vocabulary = preprocessor.tokenizer.get_vocabulary()
    return [" ".join(vocabulary[token] for token in row) for row in rows.to_list()]


def test_a_pair_is_one_row_with_its_separator(pairs):
    preprocessor = pairs()
    assert words(preprocessor, preprocessor.tokenize(PAIRS)) == [
        "<s> so glad </s> <s> what a day ! </s>",
        "<s> good </s> <s> </s>",
        "<s> </s> <s> </s>",
        "<s> bad bad bad bad bad bad bad bad </s> <s> late",
    ]


def test_the_separator_stays_where_start_and_end_are_left_out(pairs):
    preprocessor = pairs(add_start_token=False, add_end_token=False)
    assert words(preprocessor, preprocessor.tokenize(PAIRS[:1])) == [
        "so glad </s> <s> what a day !"
    ]


def test_a_cut_is_told_unless_the_end_token_alone_is_lost(pairs, tokenizer):
    rows = [("so", "glad"), ("so so", "glad"), ("so so so", "glad")]
    preprocessor = pairs(6)
    token_ids, is_cut = preprocessor.tokenize_and_cut(rows)
    assert words(preprocessor, token_ids) == [
        "<s> so </s> <s> glad </s>",
        "<s> so so </s> <s> glad",
        "<s> so so </s> <s> glad",
    ]
    assert is_cut.numpy().tolist() == [False, False, True]
    single = SiATLPreprocessor(tokenizer, 3)
    token_ids, is_cut = single.tokenize_and_cut(["so", "so so", "so so so"])
    assert words(single, token_ids) == ["<s> so </s>", "<s> so so", "<s> so so"]
    assert is_cut.numpy().tolist() == [False, False, True]
    assert not single.tokenize_and_cut(["so " * 9], limit=None)[1].numpy().any()


@pytest.mark.parametrize(
    "values",
    [
        PAIRS,
        [list(pair) for pair in PAIRS],
        np.array(PAIRS),
        tf.constant(PAIRS),
        np.array(PAIRS, object),
    ],
    ids=lambda values: type(values).__name__,
)
def test_pairs_come_in_all_forms_and_from_a_graph(pairs, values):
    preprocessor = pairs()
    expected = preprocessor.tokenize(PAIRS).to_list()
    x = preprocessor(values)
    rows = tf.ragged.boolean_mask(x["token_ids"], x["padding_mask"] > 0)
    assert rows.to_list() == expected
    batches = tf.data.Dataset.from_tensor_slices(np.array(PAIRS)).batch(2)
    mapped = [row for x in batches.map(preprocessor.tokenize) for row in x.to_list()]
    assert mapped == expected


def test_the_config_says_whether_texts_are_pairs(pairs, tokenizer):
    for preprocessor in (pairs(), SiATLPreprocessor(tokenizer)):
        again = SiATLPreprocessor.from_config(preprocessor.get_config())
        assert again.pairs is preprocessor.pairs
        # Word lists are files beside the config, and are loaded later.
        again.tokenizer.set_vocabulary(tokenizer.get_vocabulary())
        assert again.separator_ids == preprocessor.separator_ids


BYTE_PAIRS = ["<|endoftext|>", *"abcĠ", "ab"]


def test_tokenizer_parts_are_separated_by_what_their_tokenizer_has():
    numbers = {token: number for number, token in enumerate([*BYTE_PAIRS, "Ċ"])}
    end = keras_hub.tokenizers.GPT2Tokenizer(numbers, ["a b"])
    assert SiATLPreprocessor(end, 9, pairs=True).separator_ids == (0,)
    plain = keras_hub.tokenizers.BytePairTokenizer(numbers, ["a b"])
    preprocessor = SiATLPreprocessor(plain, 6, pairs=True)
    assert preprocessor.separator_ids == (6,)
    function = tf.function(preprocessor.tokenize)
    received = function(tf.constant([["ab", "c"], ["aaaa", "bbbb"]]))
    assert received.to_list() == [[5, 6, 3], [1, 1, 1, 6, 2, 2]]


def test_a_tokenizer_without_a_separator_is_refused():
    class Words(keras_hub.tokenizers.Tokenizer):
        """Knows one word, and no special token."""

        def tokenize(self, inputs):
            return tf.zeros_like(tf.strings.split(inputs), tf.int32)

        def vocabulary_size(self):
            return 1

    with pytest.raises(ValueError, match="needs a token between the two texts"):
        SiATLPreprocessor(Words(), pairs=True)


def test_single_texts_and_pairs_are_not_mistaken_for_one_another(pairs, tokenizer):
    remedy = r"string \(2,\).*make the preprocessor without `pairs=True`"
    with pytest.raises(ValueError, match=remedy):
        pairs()(["so", "glad"])
    with pytest.raises(ValueError, match=r"`x` must be pairs.*\(1, 3\)"):
        pairs()([["so", "glad", "day"]])
    with pytest.raises(ValueError, match=r"\(1, 2\).*preprocessor with `pairs=True`"):
        SiATLPreprocessor(tokenizer)([["so", "glad"]])


@pytest.mark.parametrize(
    ("kwargs", "least"),
    [({}, 5), ({"add_start_token": False}, 4), ({"add_end_token": False}, 5)],
)
def test_each_text_of_a_pair_has_room_for_a_token(pairs, kwargs, least):
    assert pairs(least, **kwargs)(PAIRS)["token_ids"].shape[1] == least
    with pytest.raises(ValueError, match=f"must be at least {least} for pairs.*=3"):
        pairs(3, **kwargs)
    later = pairs(least, **kwargs)
    later.sequence_length = 2
    with pytest.raises(ValueError, match=f"must be at least {least} for pairs"):
        later(PAIRS)


def test_pairs_is_a_switch(tokenizer):
    with pytest.raises(ValueError, match="`pairs` must be"):
        SiATLPreprocessor(tokenizer, pairs="yes")


def test_words_of_whole_texts_stand_beside_what_is_read(tokenizer):
    rows = ["so glad", "", "so so so glad good bad late what"]
    cut = SiATLPreprocessor(tokenizer, 4)
    counted = SiATLPreprocessor(tokenizer, 4, long_texts="words", max_windows=2)
    x, y, weights = counted(rows, y=[0, 1, 1])
    words = x.pop("words").numpy()
    tf.nest.map_structure(
        np.testing.assert_array_equal, (x, y, weights), cut(rows, y=[0, 1, 1])
    )
    whole = SiATLPreprocessor(tokenizer, 8).tokenize(rows).to_list()
    assert [row[row >= 0].tolist() for row in words] == whole
    assert (words[0, len(whole[0]) :] == -1).all()
    np.testing.assert_array_equal(words, counted(rows)["words"])
    # Those which the language model does not read to their end.
    assert counted.tokenize_and_cut(rows)[1].numpy().tolist() == [False, False, True]


def test_no_texts_have_no_words(tokenizer):
    counted = SiATLPreprocessor(tokenizer, 4, long_texts="words")
    x = counted(tf.constant([], tf.string))
    assert {name: tuple(part.shape) for name, part in x.items()} == {
        "token_ids": (0, 1),
        "padding_mask": (0, 1),
        "words": (0, 1),
    }


@pytest.mark.parametrize("long_texts", ["windows", "words"])
def test_pairs_are_cut(tokenizer, long_texts):
    with pytest.raises(ValueError, match=f'"cut" with `pairs.*"{long_texts}"'):
        SiATLPreprocessor(tokenizer, 12, pairs=True, long_texts=long_texts)
