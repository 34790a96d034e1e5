"""lm_dataset: every token is a target once a pass, in a known order, streamed."""

import collections
import itertools

import numpy as np
import pytest
import tensorflow as tf

from rigs.hash_preprocessor import END, START, HashLMPreprocessor
from siatl_keras.data import lm_dataset, padding_share

COUNT = 300
TEXTS = [
    " ".join(f"w{index}-{word}" for word in range(1 + index * 7 % 13))
    for index in range(COUNT)
]
STREAM = pytest.mark.parametrize("stream", [False, True])


@pytest.fixture
def path(write):
    return write("texts.txt", "\n".join(TEXTS))


def lists(batches):
    return [
        [part.numpy().tolist() for part in (x["token_ids"], y, weights)]
        for x, y, weights in batches
    ]


def targets(batches):
    """The targets that count, of all batches."""
    return [
        int(token)
        for _, y, weights in batches
        for token in tf.boolean_mask(y, weights > 0).numpy()
    ]


def documents(limit):
    return HashLMPreprocessor().tokenize(TEXTS, limit=limit).to_list()


@pytest.mark.parametrize("seed", [None, 0])
def test_each_token_of_a_cut_text_but_the_first_is_a_target_once(
    path, lm_preprocessor, seed
):
    found = targets(lm_dataset(path, lm_preprocessor, 16, seed=seed))
    expected = [token for row in documents(limit=8) for token in row[1:]]
    assert collections.Counter(found) == collections.Counter(expected)
    assert (found == expected) == (seed is None)


@pytest.mark.parametrize("seed", [None, 0])
def test_streams_predict_each_token_once_however_long_the_text(
    path, lm_preprocessor, seed
):
    found = targets(lm_dataset(path, lm_preprocessor, 16, seed=seed, stream=True))
    expected = [token for row in documents(limit=None) for token in row]
    assert collections.Counter(found) == collections.Counter(expected)
    assert (found == expected) == (seed is None)
    assert found.count(START) == found.count(END) == COUNT


def test_streams_keep_documents_in_a_row_across_windows(path, lm_preprocessor):
    batches = lm_dataset(path, lm_preprocessor, 16, stream=True)
    inputs = [
        int(token)
        for x, _, _ in batches
        for token in tf.boolean_mask(x["token_ids"], x["padding_mask"] > 0).numpy()
    ]
    # Each window begins with the last target of the one before.
    joined = [END] + [token for row in documents(limit=None) for token in row]
    assert inputs == joined[:-1]


def test_streams_fill_windows_of_sequence_length(path, lm_preprocessor):
    batches = list(lm_dataset(path, lm_preprocessor, 16, stream=True, seed=0))
    rows = [int(n) for x, _, _ in batches for n in tf.reduce_sum(x["padding_mask"], 1)]
    assert sorted(set(rows), reverse=True)[0] == lm_preprocessor.sequence_length
    assert sum(row < lm_preprocessor.sequence_length for row in rows) <= 1


@STREAM
def test_targets_are_the_next_tokens_and_padding_weighs_nothing(
    path, lm_preprocessor, stream
):
    for x, y, weights in lm_dataset(path, lm_preprocessor, 16, seed=0, stream=stream):
        np.testing.assert_array_equal(x["token_ids"][:, 1:], y[:, :-1])
        np.testing.assert_array_equal(weights > 0, y > 0)
        assert set(np.unique(weights)) <= {0.0, 1.0}
        assert (x["padding_mask"].numpy() >= weights.numpy()).all()


@STREAM
def test_all_batches_but_the_last_of_a_pass_are_full(path, lm_preprocessor, stream):
    batches = lm_dataset(path, lm_preprocessor, 16, seed=0, stream=stream)
    sizes = [len(y) for _, y, _ in batches]
    assert sorted(sizes, reverse=True)[:-1] == [16] * (len(sizes) - 1)


@STREAM
def test_the_same_seed_gives_the_same_batches_and_another_others(
    path, lm_preprocessor, stream
):
    def batches(seed):
        return lists(lm_dataset(path, lm_preprocessor, 16, seed=seed, stream=stream))

    first = batches(0)
    tf.random.set_seed(99)
    assert batches(0) == first
    assert batches(1) != first


@STREAM
def test_looking_at_a_batch_does_not_change_the_order(path, lm_preprocessor, stream):
    batches = lm_dataset(path, lm_preprocessor, 16, seed=0, stream=stream)
    first = lists(batches)
    next(iter(batches))
    assert lists(batches) == first


@STREAM
def test_skipping_steps_equals_going_on(path, lm_preprocessor, stream):
    options = {"seed": 0, "stream": stream, "repeat": True}
    whole = lm_dataset(path, lm_preprocessor, 16, **options).take(45)
    rest = lm_dataset(path, lm_preprocessor, 16, skip_steps=15, **options).take(30)
    assert lists(whole)[15:] == lists(rest)


@STREAM
def test_each_repeated_pass_holds_every_token_once_in_another_order(
    path, lm_preprocessor, stream
):
    options = {"seed": 0, "stream": stream}
    once = list(lm_dataset(path, lm_preprocessor, 16, **options))
    steps = len(once)
    repeated = lm_dataset(path, lm_preprocessor, 16, repeat=True, **options)
    batches = list(repeated.take(3 * steps))
    passes = [targets(batches[n * steps : (n + 1) * steps]) for n in range(3)]
    assert passes[0] == targets(once)
    assert passes[0] != passes[1] != passes[2]
    counts = [collections.Counter(found) for found in passes]
    assert counts[0] == counts[1] == counts[2]


def test_sorting_by_length_leaves_little_padding(path):
    preprocessor = HashLMPreprocessor(sequence_length=40)
    by_length = padding_share(lm_dataset(path, preprocessor, 8, seed=0))
    assert by_length < 0.05 < padding_share(lm_dataset(path, preprocessor, 8))


def test_files_follow_each_other_by_column(write, lm_preprocessor):
    paths = [write("a.tsv.gz", "id\ttweet\n1\tone two\n"), write("b.txt", "three\n")]
    found = targets(lm_dataset(paths, lm_preprocessor, 1, text_column="tweet"))
    rows = lm_preprocessor.tokenize(["one two", "three"]).to_list()
    assert found == rows[0][1:] + rows[1][1:]


@STREAM
def test_a_file_is_read_no_further_than_needed(
    write, lm_preprocessor, stream, monkeypatch
):
    monkeypatch.setattr("siatl_keras.data.language_modeling.SHUFFLE_BUFFER", 100)
    # The bad byte behind the texts is met only if the file is read ahead to its end.
    path = write("a.txt", b"one two three\n" * 200_000 + b"\xff\n")
    batches = lm_dataset(path, lm_preprocessor, 2, seed=0, stream=stream)
    assert len(list(batches.take(10))) == 10


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_texts(write, run_python):
    path = write("a.txt.gz", ("x" * 2000 + "\n") * 100_000)
    # In a process of its own: its peak is not that of the tests before.
    code = f"""
import resource, sys
from rigs.hash_preprocessor import HashLMPreprocessor
from siatl_keras.data import language_modeling
language_modeling.SHUFFLE_BUFFER = 2000
data = language_modeling.lm_dataset({path!r}, HashLMPreprocessor(), 16, seed=0)
batches = iter(data)
def peak(steps):
    for _ in range(steps):
        next(batches)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(peak(1500), peak(4500))
"""
    early, late = map(int, run_python("-c", code).split()[-2:])
    # 144 MB of text pass between the two.
    assert late - early < 40, f"{early} MB after 1500 steps, {late} MB after 6000"


@pytest.mark.parametrize("repeat", [False, True])
def test_no_files_are_an_error(lm_preprocessor, repeat):
    with pytest.raises(ValueError, match="`paths` is empty"):
        lm_dataset([], lm_preprocessor, 4, repeat=repeat)


def test_a_file_that_cannot_be_read_is_an_error_at_once(write, lm_preprocessor):
    good = write("a.txt", "one\n")
    with pytest.raises(ValueError, match="no such file"):
        lm_dataset([good, good + "x.txt"], lm_preprocessor, 4)


def test_an_error_further_on_names_its_line_when_it_is_met(write, lm_preprocessor):
    path = write("a.txt", b"one\n" * 9 + b"\xff\n")
    batches = lm_dataset(path, lm_preprocessor, 4)
    with pytest.raises(tf.errors.InvalidArgumentError, match="line 10: not UTF-8"):
        list(batches)


def test_paths_may_be_path_objects(tmp_path, lm_preprocessor):
    path = tmp_path / "a.txt"
    path.write_text("one two\n")
    assert len(list(itertools.islice(lm_dataset(path, lm_preprocessor, 4), 2))) == 1
