import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from siatl_keras.models.cut_bytes import cut_bytes


@settings(max_examples=40)
@given(st.lists(st.text(max_size=20), max_size=5), st.integers(4, 12))
def test_texts_are_cut_before_the_character_that_would_be_too_much(texts, limit):
    received = cut_bytes(tf.constant(texts, tf.string), limit).numpy()
    for text, kept in zip(texts, received, strict=True):
        expected = ""
        for character in text:
            if len((expected + character).encode()) > limit:
                break
            expected += character
        assert kept.decode() == expected


@settings(max_examples=40)
@given(st.lists(st.binary(max_size=20), max_size=5), st.integers(4, 12))
def test_any_bytes_are_cut_to_the_limit_and_at_most_three_before_it(texts, limit):
    received = cut_bytes(tf.constant(texts, tf.string), limit).numpy()
    for text, kept in zip(texts, received, strict=True):
        assert text.startswith(kept)
        assert min(len(text), limit - 3) <= len(kept) <= limit


@pytest.mark.parametrize("size", [4, 5, 6, 7])
def test_bytes_that_never_begin_a_character_are_cut_at_the_limit(size):
    (kept,) = cut_bytes(tf.constant([b"\x80" * size]), 4).numpy()
    assert kept == b"\x80" * 4


def test_short_texts_take_no_more_memory_where_the_limit_is_high(run_python):
    grown = run_python(
        code="""
import resource, tensorflow as tf
from siatl_keras.models.cut_bytes import cut_bytes
texts = tf.constant(["short"] * 20_000)
cut_bytes(texts, 8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
kept = cut_bytes(texts, 50_000)
assert bool(tf.reduce_all(kept == texts))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    )
    # A gigabyte, if each were filled up to the limit.
    assert int(grown.splitlines()[-1]) < 100_000
