"""Copies of texts with words left out."""

from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.runs.masked_copies import COPIES, masked_copies


def is_part(copy, text):
    words = iter(text.split())
    return all(word in words for word in copy.split())


@given(st.lists(st.text("ab \n", max_size=30), max_size=4), st.integers(0, 9))
def test_a_copy_keeps_some_words_in_their_order(texts, seed):
    copies = list(masked_copies(texts, seed))
    assert len(copies) == COPIES * len(texts)
    for number, copy in enumerate(copies):
        words, kept = texts[number // COPIES].split(), copy.split()
        assert is_part(copy, texts[number // COPIES])
        assert bool(kept) == bool(words)
        assert len(kept) < len(words) or len(words) <= 1
    assert copies == list(masked_copies(texts, seed))


def test_about_a_fifth_of_the_words_is_left_out_of_both_texts_of_a_pair():
    text = " ".join(map(str, range(1000)))
    first, *others = masked_copies([(text, text)], seed=0)
    for side in first:
        assert 750 < len(side.split()) < 850
    assert first[0] != first[1] and first not in others
