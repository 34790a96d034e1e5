"""Mixed corpora: no word is lost or moved within its text, and no piece is too long."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.text import mix_corpora
from siatl_keras.text.mix_corpora import text_pieces

WORD = st.text("ab.!?", min_size=1, max_size=4)
TEXT = st.lists(WORD, max_size=40).map(" ".join)


@given(TEXT, st.integers(1, 9))
def test_the_pieces_of_a_text_are_the_text(text, most_words):
    pieces = list(text_pieces(text, most_words))
    assert " ".join(pieces) == text
    assert all(1 <= len(piece.split()) <= most_words for piece in pieces)


def test_a_piece_ends_where_a_sentence_does():
    text = "One two. Three four five! Six? Seven eight nine ten eleven twelve."
    assert list(text_pieces(text, 5)) == [
        "One two. Three four five!",
        "Six?",
        "Seven eight nine ten eleven",
        "twelve.",
    ]


def test_all_texts_of_all_files_are_in_the_one(tmp_path):
    first, second = tmp_path / "a.txt", tmp_path / "b.tsv"
    first.write_text("".join(f"short {n}.\n" for n in range(50)), "utf-8")
    second.write_text("id\ttext\n1\tA long one. Café or not.\n", "utf-8")
    made = tmp_path / "made" / "texts.txt.gz"
    assert mix_corpora([first, second], made, most_words=3) == 52
    lines = gzip.decompress(made.read_bytes()).decode().splitlines()
    expected = [f"short {n}." for n in range(50)] + ["A long one.", "Café or not."]
    assert sorted(lines) == sorted(expected) and lines != expected
    before = made.read_bytes()
    mix_corpora([first, second], made, most_words=3)
    assert made.read_bytes() == before
    mix_corpora([first, second], tmp_path / "plain.txt", most_words=3)
    assert (tmp_path / "plain.txt").read_text("utf-8").splitlines() == lines


def test_a_piece_has_at_least_one_word(tmp_path):
    with pytest.raises(ValueError, match="most_words"):
        mix_corpora([], tmp_path / "a.txt", most_words=0)
