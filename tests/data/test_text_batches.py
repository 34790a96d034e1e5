"""Batches of texts: lines leave a pipe when its writer pauses, none is lost."""

import os

import pytest

from siatl_keras.data import arriving_batches, in_batches, pairs_of_lines
from siatl_keras.data.text_file import LONGEST_LINE


@pytest.fixture
def pipe():
    read, write = os.pipe()
    ends = {"read": read, "write": write}
    yield ends
    for descriptor in ends.values():
        if descriptor is not None:
            os.close(descriptor)


def close(pipe):
    os.close(pipe["write"])
    pipe["write"] = None


def batches(pipe, batch_size=3, said=None):
    said = [] if said is None else said
    return arriving_batches(pipe["read"], batch_size, said.append)


def test_what_has_arrived_is_not_held_back(pipe):
    arriving = batches(pipe)
    os.write(pipe["write"], b"one\n\ntwo\nhalf")
    assert next(arriving) == ["one", "", "two"]
    os.write(pipe["write"], b" of it\r\n")
    assert next(arriving) == ["half of it"]
    os.write(pipe["write"], b"\n")
    assert next(arriving) == [""]
    os.write(pipe["write"], b"a\nb\nc\nd\nno end")
    close(pipe)
    assert list(arriving) == [["a", "b", "c"], ["d", "no end"]]


def test_lines_longer_than_the_pipe_come_whole(tmp_path):
    texts = ["x" * 200_000, "", "y" * 70_000, "é" * 100_000]
    (tmp_path / "a.txt").write_text("\n".join(texts), "utf-8")
    with open(tmp_path / "a.txt", "rb") as file:
        found = list(arriving_batches(file.fileno(), 10, pytest.fail))
    assert sum(found, []) == texts


def test_a_bad_byte_costs_one_line_which_is_named(pipe):
    said = []
    arriving = batches(pipe, 9, said)
    os.write(pipe["write"], b"\xef\xbb\xbfone\ncaf\xe9\nthree\n")
    close(pipe)
    assert list(arriving) == [["one", "caf\ufffd", "three"]]
    assert said == [
        "standard input, line 2: not UTF-8 (byte 4 is 0xe9). Read with U+FFFD in the "
        "place of such bytes."
    ]


def test_an_empty_input_has_no_batches(pipe):
    close(pipe)
    assert list(batches(pipe)) == []


@pytest.mark.parametrize("form", ["utf-16", "utf-32", "utf-16-le"])
def test_what_is_not_utf_8_at_all_is_refused(pipe, form):
    os.write(pipe["write"], "some text\nmore\n".encode(form))
    with pytest.raises(ValueError, match="standard input: this is text in UTF"):
        next(batches(pipe))


def test_a_line_that_is_too_long_is_refused_after_those_before_it(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one\n" + b"x" * (LONGEST_LINE + 2) + b"\ntwo\n")
    with open(tmp_path / "a.txt", "rb") as file:
        arriving = arriving_batches(file.fileno(), 10, pytest.fail)
        assert next(arriving) == ["one"]
        with pytest.raises(ValueError, match="standard input, line 2: longer than"):
            next(arriving)


def test_texts_before_an_error_come_before_it():
    def texts():
        yield from "abc"
        raise ValueError("line 4")

    found = in_batches(texts(), 2)
    assert [next(found), next(found)] == [["a", "b"], ["c"]]
    with pytest.raises(ValueError, match="line 4"):
        next(found)


@pytest.mark.parametrize("count", [0, 1, 4, 5])
def test_batches_hold_every_text_once(count):
    found = list(in_batches(map(str, range(count)), 2))
    assert sum(found, []) == list(map(str, range(count)))
    assert all(len(batch) == 2 for batch in found[:-1])


def test_lines_with_a_tab_are_pairs_and_blank_ones_empty_texts():
    batches = [["one\ttwo", ""], [" \tthree"]]
    pairs = [[("one", "two"), ("", "")], [(" ", "three")]]
    assert list(pairs_of_lines(batches)) == pairs


@pytest.mark.parametrize(("line", "fields"), [("two", 1), ("a\tb\tc", 3)])
def test_a_line_that_is_no_pair_is_named_after_those_before_it(line, fields):
    pairs = pairs_of_lines([["a\tb"], ["c\td", line, "e\tf"]])
    assert [next(pairs), next(pairs)] == [[("a", "b")], [("c", "d")]]
    message = f"line 3: expected two texts with a tab between them, found {fields}"
    with pytest.raises(ValueError, match=message):
        next(pairs)
