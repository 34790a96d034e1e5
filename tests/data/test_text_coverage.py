"""text_coverage: what cutting and the word list lose is counted, said and warned of."""

import warnings

import pytest

from siatl_keras.data import TextCoverage, classification_dataset, text_coverage
from siatl_keras.data import classification as module
from siatl_keras.models import SiATLPreprocessor
from siatl_keras.text import WordTokenizer

TOKENIZER = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", "good", "bad", "day"])


def coverage(texts, sequence_length=6, **arguments):
    seen = []
    classification_dataset(
        texts,
        None,
        SiATLPreprocessor(TOKENIZER, sequence_length, **arguments),
        2,
        on_coverage=seen.append,
    )
    (one,) = seen
    return one


def test_texts_that_lose_words_are_counted_as_cut():
    five, six = "good bad day good bad", "good bad day good bad day"
    # <s> and five words fill six steps: what is lost of the first is </s> alone.
    assert coverage([five, six, "good", ""]) == TextCoverage(4, 1, 11, 0, 6)
    without = {"add_start_token": False, "add_end_token": False}
    assert coverage([five, six, six + " good"], **without).cut == 1


def test_words_and_unknown_words_are_counted_among_those_kept():
    assert coverage(["good what", "the <unk> day", "", "<s>"]) == TextCoverage(
        # "<unk>" and "<s>" somebody typed are three words, none of them known.
        texts=4,
        cut=0,
        words=10,
        unknown=8,
        most_read=6,
    )


def test_a_pair_is_cut_where_either_text_has_lost_words():
    texts = [
        ("good", "day bad"),
        ("what day", "good"),
        ("good bad day bad", "day"),
        ("", "good bad day bad"),
    ]
    # Of six steps three are words: <s>, </s> and <s> are not counted.
    assert coverage(texts, pairs=True) == TextCoverage(4, 2, 12, 1, 6)


def test_blocks_of_texts_add_up(monkeypatch):
    texts = ["good day", "what", "good bad day good bad day", ""] * 3
    whole = coverage(texts)
    monkeypatch.setattr(module, "TEXTS_PER_TOKENIZING", 5)
    assert coverage(texts) == whole == TextCoverage(12, 3, 24, 3, 6)


def test_a_tokenizer_that_knows_every_word_has_no_unknown_ones(classifier_preprocessor):
    seen = classifier_preprocessor.tokenize_and_cut(["a b", "w " * 20])
    found = text_coverage(*seen, classifier_preprocessor)
    assert (found.words, found.cut, found.warning() is None) == (None, 1, False)
    assert found.message() == "2 texts, 1 of them (50.0%) cut at 8 tokens"


def test_the_message_is_a_line():
    assert TextCoverage(1500, 15, 20_000, 260, 40).message() == (
        "1,500 texts, 15 of them (1.0%) cut at 40 tokens; 1.3% of 20,000 words are "
        "unknown"
    )


def test_what_word_scores_count_is_not_lost():
    texts = ["good bad day good bad day", "good", "what day"]
    found = coverage(texts, long_texts="words")
    assert (found.cut, found.words, found.counts_rest) == (1, 9, True)
    assert (found + found).counts_rest
    assert found.message() == (
        "3 texts, 1 of them (33.3%) cut at 6 tokens for the language model, no words "
        "for the word scores; 11.1% of 9 words are unknown"
    )
    assert found.warning() is None
    assert coverage(texts).warning() is not None


@pytest.mark.parametrize(
    ("cut", "unknown", "parts"),
    [
        (10, 15, []),
        (11, 15, ["11% of the texts are cut at 40 tokens: raise `sequence_length`"]),
        (10, 16, ["16% of the words are unknown to the tokenizer", "byte-pair"]),
        (100, 100, ["100% of the texts", "100% of the words"]),
    ],
)
def test_too_much_lost_is_warned_of_with_the_remedy(cut, unknown, parts):
    warning = TextCoverage(100, cut, 100, unknown, 40).warning() or ""
    assert bool(warning) == bool(parts)
    assert all(part in warning for part in parts)


def test_a_chinese_file_on_an_english_word_list_is_warned_of(capsys):
    lost = coverage(["今天天气很好", "航班又晚点了", "good"])
    with pytest.warns(UserWarning, match="of the words are unknown to the tokenizer"):
        lost.report(verbose=0)
    assert capsys.readouterr().out == ""


def test_a_report_without_losses_is_a_line_alone(capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        coverage(["good day"] * 9).report()
    assert capsys.readouterr().out == (
        "9 texts, none of them cut at 6 tokens; 0.0% of 18 words are unknown\n"
    )
