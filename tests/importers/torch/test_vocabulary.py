import pytest

from siatl_keras.importers.torch.vocabulary import (
    vocabulary_of_words,
    words_of_vocabulary,
)
from siatl_keras.text import WordTokenizer

WORDS = ["<pad>", "<s>", "</s>", "<unk>", "so", "glad"]


def vocabulary(*words):
    return {
        **dict(PAD="<pad>", SOS="<sos>", EOS="<eos>", UNK="<unk>"),
        "id2tok": dict(enumerate(["<pad>", "<sos>", "<eos>", "<unk>", *words])),
    }


def test_ids_stay_and_special_tokens_get_our_names():
    assert words_of_vocabulary(vocabulary("so", "glad"), 6, "lm.pt") == WORDS


def test_words_there_and_back_are_the_same():
    theirs = vocabulary_of_words(WORDS)
    assert theirs["tok2id"] == {word: index for index, word in theirs["id2tok"].items()}
    assert (theirs["size"], theirs["id2tok"][1]) == (6, "<sos>")
    assert words_of_vocabulary(theirs, 6, "lm.pt") == WORDS


def test_words_that_a_tokenizer_cannot_hold_keep_their_ids():
    odd = ["so", "</s>", "so", "two words", "", "glad"]
    words = words_of_vocabulary(vocabulary(*odd), 10, "lm.pt")
    unused = [f"<unused-{index}>" for index in (5, 6, 7, 8)]
    assert words[4:] == ["so", *unused, "glad"]
    tokenizer = WordTokenizer(words)
    # No text can reach them: what is typed falls into more words than one.
    assert 5 not in tokenizer.tokenize("so <unused-5> glad").numpy()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id2tok": None}, "lm.pt: `vocab.id2tok` must have a word for each of the 6"),
        ({"id2tok": {0: "<pad>"}}, "Received: 1"),
        ({"UNK": "unk"}, "word 3 must be the special token `vocab.UNK`, 'unk'"),
        ({"PAD": ("<pad>",)}, "`vocab.PAD`, a tuple"),
    ],
)
def test_other_vocabularies_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        words_of_vocabulary({**vocabulary("so", "glad"), **change}, 6, "lm.pt")


def test_words_that_are_no_strings_are_refused():
    with pytest.raises(ValueError, match=r"`vocab.id2tok\[5\]` is 7, no word"):
        words_of_vocabulary(vocabulary("so", 7), 6, "lm.pt")
