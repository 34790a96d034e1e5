"""TokenShards: texts by number; damage is refused by the name of the shard."""

import json

import pytest
import tensorflow as tf

from rigs.hash_preprocessor import HashLMPreprocessor
from siatl_keras.data import TokenShards, lm_dataset, write_token_shards

TOKENIZER = HashLMPreprocessor.tokenizer
TEXTS = [" ".join(f"w{index}" for _ in range(index % 4)) for index in range(23)]


@pytest.fixture
def folder(tmp_path):
    """Shards of 5 texts."""
    write_token_shards(TEXTS, tmp_path / "tokens", TOKENIZER, 5, progress=False)
    return tmp_path / "tokens"


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_texts_are_read_by_number_across_shards(folder):
    expected = TOKENIZER.tokenize(tf.constant(TEXTS)).to_list()
    shards = TokenShards(folder, TOKENIZER)
    assert (shards.rows, shards.tokens) == (23, sum(map(len, expected)))
    for first, last in ((0, 23), (0, 5), (4, 6), (3, 17), (22, 23)):
        read = [values.tolist() for values in shards.read(first, last)]
        assert read == expected[first:last]
    for row in range(24):
        assert shards.tokens_before(row) == sum(map(len, expected[:row]))


def test_each_worker_reads_its_own_shards_and_needs_no_others(folder):
    expected = TOKENIZER.tokenize(tf.constant(TEXTS)).to_list()
    (folder / "tokens-00001.tfrecord").unlink()
    first = TokenShards(folder, TOKENIZER, worker=0, workers=2)
    texts = expected[:5] + expected[10:15] + expected[20:]
    assert [values.tolist() for values in first.read(0, 13)] == texts
    assert (first.rows, first.tokens) == (13, sum(map(len, texts)))
    batches = lm_dataset(first, HashLMPreprocessor(), 2, seed=0, repeat=True)
    rows = [len(y) for _, y, _ in batches.take(14)]
    assert sum(rows[:7]) == sum(rows[7:]) == 13
    with pytest.raises(ValueError, match="tokens-00001.tfrecord: no such file"):
        TokenShards(folder, TOKENIZER, worker=1, workers=2)
    with pytest.raises(ValueError, match="5 shards are too few for 6 workers"):
        TokenShards(folder, TOKENIZER, worker=0, workers=6)
    with pytest.raises(ValueError, match="`workers` must be .* at least 3"):
        TokenShards(folder, TOKENIZER, worker=2, workers=2)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "no such file, but index.json names it"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:-9]),
            r"expected \d+ bytes by index.json, found \d+",
        ),
    ],
)
def test_a_missing_or_cut_shard_is_refused_at_the_start(folder, damage, message):
    damage(folder / "tokens-00003.tfrecord")
    with pytest.raises(ValueError, match=f"tokens-00003.tfrecord: {message}.*--over"):
        TokenShards(folder, TOKENIZER)


@pytest.mark.parametrize("stream", [False, True])
def test_a_shard_whose_bits_tipped_is_refused_when_it_is_read(folder, stream):
    flip(folder / "tokens-00003.tfrecord")
    shards = TokenShards(folder, TOKENIZER)
    assert len(shards.read(0, 15)) == 15
    message = "tokens-00003.tfrecord: damaged, its SHA-256 .*--overwrite"
    with pytest.raises(ValueError, match=message):
        shards.read(14, 16)
    batches = lm_dataset(folder, HashLMPreprocessor(), 2, seed=0, stream=stream)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        list(batches)


def test_an_index_that_counts_otherwise_is_refused_when_the_shard_is_read(folder):
    index = json.loads((folder / "index.json").read_text())
    index["shards"][1]["rows"] = 4
    (folder / "index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match="00001.tfrecord: expected 4 texts.* found 5"):
        TokenShards(folder, TOKENIZER).read(0, 9)


def test_a_folder_without_an_index_is_not_whole(folder):
    (folder / "index.json").unlink()
    with pytest.raises(ValueError, match=r"no index.json.*`recipes.tokenize_corpus`"):
        lm_dataset(folder, HashLMPreprocessor(), 2)


def test_ids_of_another_vocabulary_are_refused(folder):
    class Other(TOKENIZER):
        @staticmethod
        def fingerprint():
            return {"class": "hash", "buckets": 7}

    with pytest.raises(ValueError, match="`buckets` was 1000, is 7"):
        TokenShards(folder, Other)
