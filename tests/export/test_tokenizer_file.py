"""What is described, and patterns that mean the same in RE2 and in Python.

That texts become the same ids by it is tested in `standalone/test_read_texts.py`.
"""

import json
import re

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from rigs import small_backbones as small
from siatl_keras.export.tokenizer_file import describe_tokenizer, python_pattern
from siatl_keras.models import SiATLPreprocessor
from siatl_keras.text import TextNormalizer, WordTokenizer
from siatl_keras.text import normalizer_rules as rules

SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
TABLES = [
    *rules.ENTITIES,
    *rules.UNICODE,
    rules.SPACES,
    *rules.SOCIAL,
    rules.HASHTAGS,
    *rules.HASHTAG_WORDS,
    *rules.NUMBERS,
    *rules.ELONGATIONS,
    *rules.STYLE,
    rules.Rule(
        "token", "|".join(rules.EMOTICONS + rules.TOKENS + rules.EMOJI), "", None
    ),
]
PATTERNS = sorted({p for row in TABLES for p in (row.pattern, row.needs) if p})


def words_preprocessor(words=(), normalizer=None, **settings):
    return SiATLPreprocessor(WordTokenizer([*SPECIAL, *words], normalizer), **settings)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"a\.b/\"\x{e9}\x03", 'a\\.b/"é\x03'),
        (r"(?i)k-9(?:s|\d)", "[Kk\u212a]-9(?:[Ss\u017f]|[0-9])"),
        (r"a(?i:b)c(?i)d", "a(?:[Bb])c[Dd]"),
        (r"(?i:[a-c\d])", "[0-9A-Ca-c]"),
        (r"[^\s\]]\s", "[^\t\n\x0c\r \\]][\t\n\x0c\r ]"),
        (r"\bx{2,3}\B|y?(z)*$", r"\bx{2,3}\B|y?(z)*(?![\s\S])"),
        (r"[\x{1f1e6}-\x{1f1ff}\-\[]{2}", "[\\-\\[🇦-🇿]{2}"),
    ],
)
def test_patterns_are_written_out(pattern, expected):
    received = python_pattern(pattern)
    assert received == (expected if "(?i:[" not in pattern else f"(?:{expected})")


@pytest.mark.parametrize("pattern", [r"(?m)^a", r"(?P<x>a)", "[[:alpha:]]", r"\Qa.b\E"])
def test_what_cannot_be_rewritten_is_refused(pattern):
    with pytest.raises(ValueError, match="cannot be rewritten"):
        python_pattern(pattern)


@pytest.mark.parametrize("letters", [r"\pL", r"\PN", r"\p{Lu}", r"[^\pL\pM\s_]", r"\W"])
def test_classes_hold_what_they_hold_in_re2(letters):
    characters = [chr(i) for i in range(0x110000) if not 0xD800 <= i < 0xE000]
    expected = tf.strings.regex_full_match(tf.constant(characters), letters).numpy()
    one = re.compile(python_pattern(letters), re.ASCII)
    assert [bool(one.fullmatch(c)) for c in characters] == expected.tolist()


ALPHABET = "aAkKsSſ\u212aéÉ059_'#@&;:()-.,/!?*<>^ \t\n\x05Σ日\u0301\u200d😀🇩"
CHARACTERS = st.one_of(
    st.sampled_from(ALPHABET), st.characters(exclude_categories=["Cs"])
)


@given(st.lists(st.text(CHARACTERS, max_size=20), min_size=1))
def test_every_pattern_of_the_normalizer_finds_what_it_finds_in_re2(texts):
    for pattern in PATTERNS:
        expected = tf.strings.regex_replace(texts, pattern, "\x11").numpy()
        found = re.compile(python_pattern(pattern), re.ASCII)
        assert [found.sub("\x11", text) for text in texts] == [
            text.decode() for text in expected
        ]


def test_a_word_tokenizer_is_described_by_its_vocabulary_and_steps():
    description = describe_tokenizer(words_preprocessor(["so", "glad"]))
    assert json.loads(json.dumps(description)) == description
    assert description["vocabulary"] == [*SPECIAL, "so", "glad"]
    assert description["unknown"] == 3
    done = [step["do"] for step in description["steps"]]
    assert list(dict.fromkeys(done)) == ["replace", "characters", "nfkc", "inside"]
    assert [step["do"] for step in description["word_steps"]] == ["replace", "lower"]
    rules_off = TextNormalizer(nfkc=False, hashtags=False, html_entities=False)
    description = describe_tokenizer(words_preprocessor(normalizer=rules_off))
    assert {step["do"] for step in description["steps"]} == {"replace"}


def test_rows_are_described_as_the_preprocessor_makes_them():
    def rows(**settings):
        description = describe_tokenizer(words_preprocessor(**settings))
        return {
            name: value
            for name, value in description.items()
            if name not in ("version", "kind", "vocabulary", "unknown")
            and "steps" not in name
        }

    default = {"start": 1, "end": 2, "pad": 0, "separator": [], "pairs": False}
    default |= {"words": False, "most_tokens": 80, "most_read": 80, "length": None}
    assert rows() == default
    assert rows(add_start_token=False) == default | {"start": None}
    assert rows(add_end_token=False, sequence_length=9) == default | {
        "end": None,
        "most_tokens": 9,
        "most_read": 9,
    }
    assert rows(pairs=True) == default | {"pairs": True, "separator": [2, 1]}
    assert rows(pad_to_sequence_length=True) == default | {"length": 80}
    counted = rows(long_texts="words", max_windows=3)
    assert counted == default | {"words": True, "most_tokens": 240}


def test_byte_pairs_are_described_by_vocabulary_and_merges():
    tokenizer = small.small_tokenizer("Llama3")
    description = describe_tokenizer(SiATLPreprocessor(tokenizer, 10))
    assert json.loads(json.dumps(description)) == description
    assert description["kind"] == "byte_pairs"
    assert description["vocabulary"] == tokenizer.vocabulary
    assert description["merges"] == small.MERGES
    assert not description["add_prefix_space"]
    named = [token for token, _ in description["unsplittable"]]
    assert named == list(tokenizer.unsplittable_tokens)
    assert description["bytes"][0x20] == "Ġ"
    assert len(set(description["bytes"])) == 256
    assert description["start"] == tokenizer.start_token_id
    longest = max(len(token.encode()) for token in tokenizer.vocabulary)
    assert description["most_bytes"] == 11 * longest


class OwnTokenizer(WordTokenizer):
    """Might do anything with texts."""


def test_other_tokenizers_are_refused_by_name():
    for tokenizer in (small.small_tokenizer("Gemma"), OwnTokenizer(SPECIAL)):
        name = type(tokenizer).__name__
        with pytest.raises(ValueError, match=rf"read for a WordTokenizer.*: {name}\."):
            describe_tokenizer(SiATLPreprocessor(tokenizer))
