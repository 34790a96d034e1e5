"""Batches from token shards are those from the texts, from any step on."""

import sys

import pytest

from rigs.hash_preprocessor import HashLMPreprocessor
from siatl_keras.data import lm_dataset, read_texts, write_token_shards
from siatl_keras.models import LSTMCausalLMPreprocessor
from siatl_keras.text import WordTokenizer

# Some longer than a window, some empty in their middle column.
TEXTS = [
    " ".join(f"w{index}-{word}" for word in range(index * 7 % 23))
    for index in range(101)
]
STREAM = pytest.mark.parametrize("stream", [False, True])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Several blocks and pieces a pass: neither ends where shards or records do."""
    monkeypatch.setattr("siatl_keras.data.language_modeling.SHUFFLE_BUFFER", 30)
    monkeypatch.setattr("siatl_keras.data.language_modeling.BATCHES_PER_PIECE", 4)
    module = sys.modules[write_token_shards.__module__]
    monkeypatch.setattr(module, "TEXTS_PER_RECORD", 5)


@pytest.fixture
def corpus(write):
    lines = [f"{number}\t{text}" for number, text in enumerate(TEXTS)]
    return write("texts.tsv", "\n".join(["id\ttext", *lines]) + "\n")


@pytest.fixture
def folder(corpus, tmp_path):
    """Shards of 12 texts."""
    texts, tokenizer = read_texts(corpus, "text"), HashLMPreprocessor.tokenizer
    write_token_shards(texts, tmp_path / "tokens", tokenizer, 12, progress=False)
    return tmp_path / "tokens"


def lists(batches):
    return [
        [part.numpy().tolist() for part in (x["token_ids"], y, weights)]
        for x, y, weights in batches
    ]


@STREAM
@pytest.mark.parametrize(
    ("batch_size", "seed"), [(1, 3), (3, 0), (7, 5), (200, 0), (4, None)]
)
def test_two_passes_have_the_batches_of_the_texts(
    corpus, folder, stream, batch_size, seed
):
    preprocessor = HashLMPreprocessor()
    options = {"seed": seed, "stream": stream, "batch_size": batch_size}
    once = lists(lm_dataset(corpus, preprocessor, text_column="text", **options))
    options["repeat"] = True
    steps = 2 * len(once) + 1
    from_texts = lm_dataset(corpus, preprocessor, text_column="text", **options)
    from_tokens = lm_dataset(folder, preprocessor, **options)
    expected = lists(from_texts.take(steps))
    assert lists(from_tokens.take(steps)) == expected
    assert expected[: len(once)] == once
    passes = [expected[n * len(once) : (n + 1) * len(once)] for n in range(2)]
    assert len(once) == 1 or (passes[0] == passes[1]) == (seed is None)


@STREAM
def test_skipping_to_any_step_equals_going_on(folder, stream):
    options = {"batch_size": 3, "seed": 0, "stream": stream, "repeat": True}
    preprocessor = HashLMPreprocessor()
    whole = lists(lm_dataset(folder, preprocessor, **options).take(130))
    for skip in (4, 11, 33, 34, 67, 121):
        rest = lm_dataset(folder, preprocessor, skip_steps=skip, **options)
        assert lists(rest.take(1)) == whole[skip : skip + 1], skip


@STREAM
def test_a_pass_that_is_skipped_is_over(folder, stream):
    options = {"batch_size": 3, "stream": stream, "preprocessor": HashLMPreprocessor()}
    steps = len(list(lm_dataset(folder, **options)))
    last = lm_dataset(folder, skip_steps=steps - 1, **options)
    assert len(list(last)) == 1
    for skip in (steps, steps + 1, 3 * steps):
        assert not list(lm_dataset(folder, skip_steps=skip, **options))


@pytest.mark.parametrize(
    ("stream", "start", "end"),
    [(False, True, False), (True, False, True), (True, False, False)],
)
def test_start_and_end_tokens_and_cuts_are_those_of_the_texts(
    corpus, tmp_path, stream, start, end
):
    words = [f"w9-{number}" for number in range(20)]
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", "w", "-", *words])
    preprocessor = LSTMCausalLMPreprocessor(
        tokenizer, 9, add_start_token=start, add_end_token=end
    )
    texts = read_texts(corpus, "text")
    write_token_shards(texts, tmp_path / "t", tokenizer, 12, progress=False)
    options = {"seed": 1, "stream": stream, "batch_size": 5}
    from_texts = lm_dataset(corpus, preprocessor, text_column="text", **options)
    expected = lists(from_texts)
    assert lists(lm_dataset(tmp_path / "t", preprocessor, **options)) == expected
    rest = lm_dataset(tmp_path / "t", preprocessor, skip_steps=6, **options)
    assert lists(rest) == expected[6:]


def test_one_folder_is_read_at_a_time(folder, corpus, lm_preprocessor):
    for paths in ([folder, folder], [corpus, folder]):
        with pytest.raises(ValueError, match="one folder of tokens"):
            lm_dataset(paths, lm_preprocessor, 4)
