"""join_pairs against plain Python, and what separates the texts of a pair."""

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.models.pair_packing import join_pairs, separator_ids

START, END, NEWLINE = 1, 2, 9


def by_hand(first, second, separator, start, end, limit):
    """Takes a token off the longer text, the second of equals, until the row fits."""
    begins = [START] if start else []
    a, b = list(first), list(second)
    room = limit - len(begins) - len(separator)
    while len(a) + len(b) > room:
        longer = a if len(a) > len(b) else b
        longer.pop()
    row = [*begins, *a, *separator, *b, *([END] if end else [])]
    return row[:limit], len(a) + len(b) < len(first) + len(second)


def sides(rows):
    values = tf.constant([token for row in rows for token in row], tf.int32)
    return tf.RaggedTensor.from_row_lengths(values, [len(row) for row in rows])


tokens = st.lists(st.integers(10, 99), max_size=12)


@given(
    st.lists(st.tuples(tokens, tokens), min_size=0, max_size=6),
    st.sampled_from([(), (END,), (END, START), (7, 8, 7)]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 20),
)
def test_rows_are_those_of_plain_python(pairs, separator, start, end, room):
    limit = room + 2 + len(separator) + start
    received, is_cut = join_pairs(
        sides([first for first, _ in pairs]),
        sides([second for _, second in pairs]),
        separator,
        START if start else None,
        END if end else None,
        limit,
    )
    expected = [by_hand(*pair, separator, start, end, limit) for pair in pairs]
    assert received.to_list() == [row for row, _ in expected]
    assert is_cut.numpy().tolist() == [cut for _, cut in expected]


@given(tokens, tokens)
def test_without_a_limit_nothing_is_lost(first, second):
    received, is_cut = join_pairs(
        sides([first]), sides([second]), [END, START], START, END, None
    )
    assert received.to_list() == [[START, *first, END, START, *second, END]]
    assert not is_cut.numpy().any()


@pytest.mark.parametrize(
    ("lengths", "kept"),
    [((9, 9), (4, 3)), ((2, 9), (2, 5)), ((9, 2), (5, 2)), ((0, 9), (0, 7))],
)
def test_what_one_text_does_not_need_the_other_gets(lengths, kept):
    first, second = ([number] * length for number, length in zip((10, 20), lengths))  # noqa: B905
    received, _ = join_pairs(sides([first]), sides([second]), [END, START], 1, 2, 10)
    (row,) = received.to_list()
    assert (row.count(10), row.count(20)) == kept and len(row) == 10


class Tokenizer:
    """A tokenizer with the special tokens given, whose newline has these tokens."""

    def __init__(self, newline=(), **ids):
        self.newline = list(newline)
        vars(self).update({f"{name}_token_id": number for name, number in ids.items()})

    def tokenize(self, texts):
        assert texts.numpy().tolist() == [b"\n"]
        return sides([self.newline])


@pytest.mark.parametrize(
    ("tokenizer", "expected"),
    [
        (Tokenizer(start=START, end=END), (END, START)),
        (Tokenizer(start=END, end=END), (END,)),
        (Tokenizer(start=0, end=0), (0,)),
        (Tokenizer(end=END), (END,)),
        (Tokenizer(start=START, end=None), (START,)),
        (Tokenizer([NEWLINE]), (NEWLINE,)),
        (Tokenizer([NEWLINE, 8], start=None, end=None, unk=3), (NEWLINE, 8)),
    ],
)
def test_the_separator_is_what_stands_between_two_texts(tokenizer, expected):
    assert separator_ids(tokenizer, tokenizer.tokenize) == expected

    @tf.function
    def traced():
        return tf.constant(separator_ids(tokenizer, tokenizer.tokenize))

    assert tuple(traced().numpy()) == expected


@pytest.mark.parametrize("newline", [[], [3], [NEWLINE, 3]])
def test_a_tokenizer_with_nothing_to_separate_is_refused(newline):
    tokenizer = Tokenizer(newline, unk=3)
    with pytest.raises(ValueError, match="`pairs` needs a token between.*Tokenizer,"):
        separator_ids(tokenizer, tokenizer.tokenize)
