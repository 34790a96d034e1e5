"""The reader gives the ids of the graph, and needs neither TensorFlow nor siatl_keras.

Of words, characters differ that Python's Unicode tables and TensorFlow's do not know
alike;
`test_the_only_other_characters_are_new_in_unicode` counts them.
"""

import functools
import itertools
import json
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import keras_hub
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text as tf_text
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from rigs import small_backbones as small
from rigs.tricky_texts import NAMES, SPLIT_HERE, TRICKY
from siatl_keras.data import read_texts
from siatl_keras.export.standalone import read_texts as standalone
from siatl_keras.export.standalone.read_texts import Reader
from siatl_keras.export.tokenizer_file import describe_tokenizer
from siatl_keras.models import SiATLPreprocessor
from siatl_keras.presets.named_models import fetched_folder
from siatl_keras.text import TextNormalizer, WordTokenizer
from siatl_keras.text.text_normalizer import SWITCHES

SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
PIECES = st.lists(st.sampled_from(TRICKY + SPLIT_HERE + NAMES), max_size=12)
GLUE = st.sampled_from(["", " "])


@functools.cache
def known_otherwise():
    """Characters whose lower case or NFKC is not that of the graph."""
    characters = [chr(i) for i in range(1, 0x110000) if not 0xD800 <= i < 0xE000]
    tensor = tf.constant(characters)
    lower = tf.strings.lower(tensor, encoding="utf-8").numpy()
    nfkc = tf_text.normalize_utf8(tensor, "NFKC").numpy()
    return {
        character
        for character, a, b in zip(characters, lower, nfkc, strict=True)
        if a.decode() != character.lower()
        or b.decode() != unicodedata.normalize("NFKC", character)
    }


def texts_of(letters):
    composed = st.builds(lambda glue, pieces: glue.join(pieces), GLUE, PIECES)
    return st.lists(st.one_of(letters, composed), min_size=1, max_size=6)


CHARACTERS = st.characters(exclude_categories=["Cs"])
ANY = st.text(CHARACTERS, max_size=30)
NEWEST_LEFT_OUT = ANY.map(
    lambda text: "".join(c for c in text if c not in known_otherwise())
)


@functools.cache
def described(normalizer):
    preprocessor = SiATLPreprocessor(WordTokenizer(SPECIAL, normalizer), 10_000)
    split = tf.function(
        normalizer.split, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    return describe_tokenizer(preprocessor), split


def assert_same_words(normalizer, texts):
    """Compares words, of which a vocabulary would hide those that it does not know."""
    description, split = described(normalizer)
    rows = [[w.decode() for w in row] for row in split(tf.constant(texts)).to_list()]
    vocabulary = [*SPECIAL, *{*itertools.chain(*rows)}]
    reader = Reader({**description, "vocabulary": vocabulary})
    received = reader.read(texts)["token_ids"]
    words = [[vocabulary[i] for i in row if i not in (0, 1, 2)] for row in received]
    for text, got, expected in zip(texts, words, rows, strict=True):
        assert got == expected, ascii(text)


DEFAULT = TextNormalizer()
TURNED = {name: TextNormalizer(**{name: not on}) for name, on in SWITCHES.items()}


@given(texts_of(NEWEST_LEFT_OUT))
def test_any_text_becomes_the_words_of_the_graph(texts):
    assert_same_words(DEFAULT, texts)


@pytest.mark.parametrize("switch", SWITCHES)
@given(texts=texts_of(NEWEST_LEFT_OUT))
def test_so_it_does_with_each_switch_turned(switch, texts):
    assert_same_words(TURNED[switch], texts)


def test_so_do_all_tricky_pieces_alone_and_in_pairs():
    pairs = [a + glue + b for a in TRICKY for b in TRICKY[::3] for glue in ("", " ")]
    assert_same_words(DEFAULT, TRICKY + pairs)


def test_so_does_each_character_that_both_know_alike():
    known = [chr(i) for i in range(0x110000) if not 0xD800 <= i < 0xE000]
    known = [c for c in known if c not in known_otherwise()][::7]
    assert_same_words(DEFAULT, ["x" + c + "Y" for c in known])


def test_the_only_other_characters_are_new_in_unicode():
    # Unicode 3.2 has none of them; of Python 3.11's 14.0 they are 138.
    assert len(known_otherwise()) < 200
    for character in known_otherwise():
        assert unicodedata.ucd_3_2_0.category(character) == "Cn", ascii(character)


def first_texts(path, count=500):
    if not path.is_file():
        pytest.skip(f"{path.name} of {path.parent.name} is not there")
    columns = ("text_a", "text_b") if path.parent.name == "msrp_pairs" else (None, "")
    texts = read_texts(path, columns[0], blank_lines=True, pair_column=columns[1])
    return [*itertools.islice(texts, count)]


REAL = [
    *["tweets/train.txt.gz", "imdb_small/train.tsv.gz", "sent17/test.tsv.gz"],
    *["scv2/train.tsv", "goemotions_small/train.tsv", "reviews/validation.txt"],
]


@pytest.mark.parametrize("name", REAL)
def test_real_texts_become_the_words_of_the_graph(shared_data, name):
    assert_same_words(DEFAULT, first_texts(shared_data / name))


def tensor_of(texts):
    # Of a plain list, TensorFlow drops a NUL at the end of texts, as NumPy does.
    return tf.constant(np.array(texts, object), tf.string)


def assert_same_arrays(preprocessor, texts):
    description = json.loads(json.dumps(describe_tokenizer(preprocessor)))
    received = Reader(description).read(texts)
    shape = [len(texts), 2] if preprocessor.pairs else [len(texts)]
    expected = preprocessor(tf.reshape(tensor_of(texts), shape))
    assert received.keys() == expected.keys()
    for name, array in received.items():
        assert array.dtype == np.int32
        np.testing.assert_array_equal(array, expected[name], name)


def word_tokenizer():
    return WordTokenizer([*SPECIAL, "a", "good", "day", ".", "<number>", "<repeated>"])


def byte_pair_tokenizer(**kwargs):
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    merges = ["Ġ g", "o o", "Ġg oo", "Ġgoo d", "d a", "da y", "o d", "Ġ ð", "Ã ©"]
    merges += ["a a", "aa aa", "' l", "'l l", "ð Ł", "à ¥", "Ċ Ċ", "Ġ Ġ", "Ġd ay"]
    words = [
        *NAMES,
        *letters,
        "Ġd",
        "ay",
        *(merge.replace(" ", "") for merge in merges),
    ]
    words = {word: i for i, word in enumerate(dict.fromkeys(words))}
    return keras_hub.tokenizers.BytePairTokenizer(
        words, merges, unsplittable_tokens=NAMES, **kwargs
    )


MAKE = {
    "words": word_tokenizer,
    "byte pairs": byte_pair_tokenizer,
    "with a space first": functools.partial(byte_pair_tokenizer, add_prefix_space=True),
    "Llama3": functools.partial(small.small_tokenizer, "Llama3"),
}
SETTINGS = [
    {},
    {"sequence_length": 6},
    {"sequence_length": 7, "add_start_token": False},
    {"sequence_length": 7, "add_end_token": False},
    {"sequence_length": 9, "pad_to_sequence_length": True},
    {"sequence_length": 5, "long_texts": "windows", "max_windows": 3},
    {"sequence_length": 5, "long_texts": "words", "max_windows": 3},
    {"sequence_length": 5, "long_texts": "words", "pad_to_sequence_length": True},
    {"sequence_length": 12, "pairs": True},
    {"sequence_length": 13, "pairs": True, "add_start_token": False},
    {"sequence_length": 30, "pairs": True, "pad_to_sequence_length": True},
]
TEXTS = ["a good day", "", "A good good day. " * 20, "中é" * 60, "a" * 300, " day"]
# What is done with ids is done alike for all tokenizers.
GRID = [("words", settings) for settings in SETTINGS]
GRID += [
    pytest.param(name, SETTINGS[number], marks=pytest.mark.slow)
    for name, number in [("byte pairs", 6), ("byte pairs", 8), ("Llama3", 1)]
]


@pytest.mark.parametrize(("name", "settings"), GRID, ids=str)
def test_rows_are_cut_joined_and_padded_alike(name, settings):
    preprocessor = SiATLPreprocessor(MAKE[name](), **settings)
    texts = TEXTS
    if preprocessor.pairs:
        texts = [*itertools.permutations(TEXTS, 2)][::2]
    assert_same_arrays(preprocessor, texts)
    assert_same_arrays(preprocessor, [])


@functools.cache
def reader_and_graph(name):
    preprocessor = SiATLPreprocessor(MAKE[name](), 200)
    graph = tf.function(
        preprocessor.call, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    return Reader(describe_tokenizer(preprocessor)), graph


@pytest.mark.parametrize("name", ["byte pairs", "with a space first"])
@given(texts=texts_of(ANY))
def test_any_text_becomes_the_byte_pairs_of_the_graph(name, texts):
    reader, graph = reader_and_graph(name)
    received, expected = reader.read(texts), graph(tensor_of(texts))
    np.testing.assert_array_equal(received["token_ids"], expected["token_ids"])
    np.testing.assert_array_equal(received["padding_mask"], expected["padding_mask"])


@pytest.mark.parametrize("name", [*REAL[:3], "msrp_pairs/train.tsv"])
def test_real_texts_become_the_byte_pairs_of_a_real_model(shared_data, name):
    folder = fetched_folder("smollm2_135m")
    if not folder.is_dir():
        pytest.skip("smollm2_135m has not been fetched")
    tokenizer = keras_hub.tokenizers.Tokenizer.from_preset(str(folder))
    texts = first_texts(shared_data / name)
    pairs = isinstance(texts[0], tuple)
    preprocessor = SiATLPreprocessor(tokenizer, 60, pairs=pairs)
    assert_same_arrays(preprocessor, texts if pairs else texts + TRICKY + SPLIT_HERE)


@pytest.mark.parametrize("piece", ["ab", "1.", "#a", "🎈"])
def test_of_endless_words_the_first_five_hundred_characters_are_read(piece):
    preprocessor = SiATLPreprocessor(word_tokenizer(), 700)
    reader = Reader(describe_tokenizer(preprocessor))
    received = reader.read([f"a {piece * 100_000} day"])
    expected = preprocessor([f"a {(piece * 500)[:500]} day"])
    np.testing.assert_array_equal(received["token_ids"], expected["token_ids"])


@pytest.mark.parametrize("piece", ["a", "good", "é", "🎈", "\0"])
def test_endless_words_become_the_byte_pairs_of_the_graph(piece):
    preprocessor = SiATLPreprocessor(byte_pair_tokenizer(), 700)
    assert_same_arrays(preprocessor, [f"a {piece * 3_000} day", piece * 499 + "day"])


def test_words_met_before_are_kept_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(standalone, "MOST_WORDS", 3)
    texts = ["a good day", "day good a", "good " * 9, "a b c d e f g h", "good day"]
    assert_same_arrays(SiATLPreprocessor(byte_pair_tokenizer()), texts)
    assert_same_arrays(SiATLPreprocessor(word_tokenizer()), texts)


@pytest.mark.parametrize(
    ("pairs", "texts", "message"),
    [
        (False, ["a", b"b"], r"Row 2 must be a string\. Received: b'b'"),
        (False, ["a", None], r"Row 2 must be a string\. Received: None"),
        (False, [("a", "b")], r"Row 1 must be a string\. Received: \('a', 'b'\)"),
        (False, "a day", r"must be a list of texts\. Received: 'a day'"),
        (False, ["\ud83d"], r"Row 1 has half of a surrogate pair"),
        (True, [("a", "b"), "ab"], r"Row 2 must be a tuple of two strings"),
        (True, [("a", "b", "c")], r"Row 1 must be a tuple of two strings"),
        (True, [("a", 1.5)], r"Row 1 must be a tuple .* Received: \('a', 1.5\)"),
    ],
)
def test_what_is_no_text_is_refused_by_row(pairs, texts, message):
    preprocessor = SiATLPreprocessor(word_tokenizer(), pairs=pairs)
    with pytest.raises(ValueError, match=message):
        Reader(describe_tokenizer(preprocessor)).read(texts)


ALONE = """
import importlib.abc, json, sys
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        known = {"read_texts", "numpy", *sys.stdlib_module_names}
        if name.split(".")[0] not in known:
            raise ImportError(f"{name} is not there")
sys.meta_path.insert(0, Refuse())
for name in ("tensorflow", "keras", "siatl_keras", "regex"):
    try:
        __import__(name)
    except ImportError:
        continue
    raise AssertionError(name)
sys.path.insert(0, sys.argv[1])
from read_texts import Reader
reader = Reader.from_file(sys.argv[1] + "/tokenizer.json")
rows = reader.read(["A good day!!!", "#GoodDay é"])["token_ids"].tolist()
print(json.dumps(rows))
"""


@pytest.mark.parametrize("name", ["words", "byte pairs"])
def test_the_file_runs_alone(tmp_path, name):
    preprocessor = SiATLPreprocessor(MAKE[name]())
    shutil.copy(Path(standalone.__file__), tmp_path)
    description = json.dumps(describe_tokenizer(preprocessor))
    (tmp_path / "tokenizer.json").write_text(description, "utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    expected = preprocessor(tf.constant(["A good day!!!", "#GoodDay é"]))["token_ids"]
    assert json.loads(done.stdout) == expected.numpy().tolist()
