"""The index of token shards: read as written, refused by name where it is not."""

import dataclasses
import json
from pathlib import Path

import pytest

from siatl_keras.data.token_index import Shard, TokenIndex, read_index

INDEX = TokenIndex(
    tokenizer={"class": "WordTokenizer", "vocabulary_sha256": "ab"},
    dtype="uint16",
    texts_per_shard=2,
    shards=(Shard("tokens-00000.tfrecord", 2, 5, 1, 60, "cd", "ef"),),
    package_version="0.1.0",
)


@pytest.fixture
def path(tmp_path):
    INDEX.write(tmp_path / "index.json")
    return tmp_path / "index.json"


def test_what_is_written_is_read(path):
    assert read_index(path) == INDEX
    assert json.loads(path.read_text())["format"] == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda text: "[]",
        lambda text: "3",
        lambda text: '"text"',
        lambda text: text.replace('"rows"', '"lines"'),
        lambda text: text.replace('"rows": 2', '"rows": "2"'),
        lambda text: text.replace('"rows": 2', '"rows": null'),
        lambda text: text.replace('"dtype"', '"kind"'),
        lambda text: text.replace("uint16", "object"),
        lambda text: text.replace('"class"', "\udcff"),
        lambda text: text.replace('"tokens-00000.tfrecord"', '"../other"'),
    ],
)
def test_a_damaged_index_is_named_with_the_remedy(path, damage):
    path.write_bytes(damage(path.read_text()).encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match="index.json: damaged.*tokenize_corpus"):
        read_index(path)


def test_a_format_that_is_not_known_is_refused(path):
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(ValueError, match="format 2 is not known, 1 is"):
        read_index(path)


@pytest.mark.parametrize(
    ("tokenizer", "message"),
    [
        ({"vocabulary_sha256": "gh"}, '`vocabulary_sha256` was "ab", is "gh"'),
        ({"rules": 2}, "`rules` was null, is 2"),
    ],
)
def test_ids_of_another_tokenizer_are_refused(tokenizer, message):
    INDEX.refuse_another_tokenizer(Path("tokens"), INDEX.tokenizer)
    other = {**INDEX.tokenizer, **tokenizer}
    with pytest.raises(ValueError, match=f"tokens: .*{message}.*tokenize_corpus"):
        INDEX.refuse_another_tokenizer(Path("tokens"), other)
    changed = dataclasses.replace(INDEX, tokenizer=other)
    with pytest.raises(ValueError, match="another tokenizer"):
        changed.refuse_another_tokenizer(Path("tokens"), INDEX.tokenizer)
