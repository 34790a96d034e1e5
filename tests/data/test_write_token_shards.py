"""write_token_shards: all texts once, resumed where it stopped, never half a folder."""

import signal
import sys
import tempfile
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from rigs.hash_preprocessor import HashLMPreprocessor
from rigs.tricky_texts import TRICKY
from siatl_keras.data import TokenShards, write_token_shards
from siatl_keras.text import WordTokenizer

TOKENIZER = HashLMPreprocessor.tokenizer
TEXTS = [f"a {'b c ' * (index % 3)}d{index}" for index in range(23)]


def write(texts, folder, tokenizer=TOKENIZER, **options):
    options = {"texts_per_shard": 5, "progress": False, **options}
    return write_token_shards(texts, folder, tokenizer, **options)


def read(folder, tokenizer=TOKENIZER):
    shards = TokenShards(folder, tokenizer)
    return [values.tolist() for values in shards.read(0, shards.rows)]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def stopping(after):
    """So many texts, and then a file that cannot be read."""
    yield from TEXTS[:after]
    raise ValueError("b.txt, line 3: not UTF-8")


@given(
    st.lists(st.text(max_size=12) | st.sampled_from(["", " ", *TRICKY]), min_size=1),
    st.integers(1, 9),
    st.integers(1, 4),
)
def test_what_is_written_is_what_the_tokenizer_gives(texts, per_shard, per_record):
    module = sys.modules[write_token_shards.__module__]
    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TEXTS_PER_RECORD", per_record)
        patch.setattr(module, "CHARACTERS_PER_RECORD", 20)
        index = write(texts, Path(made) / "tokens", texts_per_shard=per_shard)
        assert read(Path(made) / "tokens") == TOKENIZER.tokenize(texts).to_list()
    rows = [shard.rows for shard in index.shards]
    assert sum(rows) == len(texts) and max(rows) <= per_shard
    assert set(rows[:-1]) <= {per_shard}
    records = sum(shard.records for shard in index.shards)
    assert len(texts) / per_record <= records <= len(texts)


@pytest.mark.parametrize(("words", "dtype"), [(10, "uint16"), (65_533, "int32")])
def test_ids_of_any_vocabulary_have_room(tmp_path, words, dtype):
    vocabulary = ["<pad>", "<s>", "</s>", "<unk>", *(f"w{n}" for n in range(words))]
    tokenizer = WordTokenizer(vocabulary)
    texts = [*TRICKY, f"w{words - 1}", "w7"]
    assert write(texts, tmp_path / "tokens", tokenizer).dtype == dtype
    expected = tokenizer.tokenize(texts).to_list()
    assert read(tmp_path / "tokens", tokenizer) == expected
    assert expected[-2:] == [[words + 3], [11]]


def test_all_names_are_told_and_the_same_texts_make_the_same_files(tmp_path):
    write(TEXTS, tmp_path / "one")
    write(iter(TEXTS), tmp_path / "two")
    shards = [f"tokens-0000{number}.tfrecord" for number in range(5)]
    assert names(tmp_path / "one") == ["index.json", *shards]
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    records = tf.data.TFRecordDataset(str(tmp_path / "one" / shards[0]))
    assert len(list(records)) == 1  # With the checksums that TensorFlow looks at.


@pytest.mark.parametrize("after", [0, 4, 5, 12, 20, 22])
def test_a_stopped_folder_is_not_whole_and_resumes_to_the_same_files(tmp_path, after):
    write(TEXTS, tmp_path / "whole")
    folder = tmp_path / "stopped"
    with pytest.raises(ValueError, match="line 3: not UTF-8"):
        write(stopping(after), folder)
    assert not (folder / "index.json").exists()
    done = sorted(folder.glob("tokens-*"))
    assert len(done) == after // 5
    before = [path.stat().st_mtime_ns for path in done]
    write(TEXTS, folder)
    assert contents(folder) == contents(tmp_path / "whole")
    assert [path.stat().st_mtime_ns for path in done] == before


def test_a_shard_that_was_lost_since_is_written_again(tmp_path):
    write(TEXTS, tmp_path / "whole")
    folder = tmp_path / "stopped"
    with pytest.raises(ValueError, match="line 3"):
        write(stopping(22), folder)
    (folder / "tokens-00001.tfrecord").unlink()
    write(TEXTS, folder)
    assert contents(folder) == contents(tmp_path / "whole")


def test_a_corpus_that_has_changed_since_is_refused(tmp_path):
    with pytest.raises(ValueError, match="line 3"):
        write(stopping(22), tmp_path)
    message = "tokens-00001.tfrecord was made of other texts .* remove"
    with pytest.raises(ValueError, match=message):
        write([*TEXTS[:7], "another", *TEXTS[8:]], tmp_path)


def test_tokens_are_replaced_on_demand_alone(tmp_path):
    write(TEXTS, tmp_path)
    before = contents(tmp_path)
    with pytest.raises(ValueError, match="holds tokens already.*--overwrite"):
        write(TEXTS[:7], tmp_path)
    assert contents(tmp_path) == before
    with pytest.raises(ValueError, match="line 3"):
        write(stopping(7), tmp_path, overwrite=True)
    # Neither the old texts nor half of the new ones look whole.
    assert names(tmp_path) == ["backup", "tokens-00000.tfrecord"]
    with pytest.raises(ValueError, match="begun with another vocabulary, other sett"):
        write(TEXTS[:7], tmp_path, texts_per_shard=3)
    write(TEXTS[:7], tmp_path, texts_per_shard=3, overwrite=True)
    assert read(tmp_path) == TOKENIZER.tokenize(TEXTS[:7]).to_list()
    assert len(names(tmp_path)) == 4


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        ([], {}, "`texts` is empty"),
        (["a"], {"texts_per_shard": 0}, "texts_per_shard=0"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(tmp_path, texts, options, message):
    with pytest.raises(ValueError, match=message):
        write(texts, tmp_path, **options)
    assert not (tmp_path / "index.json").exists()


KILLED = """
import os, signal, sys, time
from pathlib import Path
from rigs.hash_preprocessor import HashLMPreprocessor
from siatl_keras.data import write_token_shards

folder = Path(sys.argv[1])

def texts():
    yield from sys.argv[2:15]
    while not (folder / "backup" / "index.json").exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)

write_token_shards(texts(), folder, HashLMPreprocessor.tokenizer, 5, progress=False)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_what_resumes(tmp_path, run_python):
    write(TEXTS, tmp_path / "whole")
    folder = tmp_path / "killed"
    done = run_python(folder, *TEXTS, code=KILLED, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (folder / "index.json").exists()
    assert (folder / "tokens-00000.tfrecord").exists()
    write(TEXTS, folder)
    assert contents(folder) == contents(tmp_path / "whole")
