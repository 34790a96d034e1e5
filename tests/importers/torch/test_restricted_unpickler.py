import collections
import os
import pickle
import pickletools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.importers.torch.restricted_unpickler import RestrictedUnpickler

KEYS = st.one_of(
    st.text(max_size=4), st.integers(-(2**60), 2**60), st.booleans(), st.none()
)
VALUES = st.recursive(
    st.one_of(KEYS, st.integers(-(2**70), 2**70), st.floats(allow_nan=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=4).map(collections.OrderedDict),
    ),
    max_leaves=20,
)


class Calls:
    """Pickles to a call, as a hostile file does."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def load(data):
    return RestrictedUnpickler(data, "file.pt").load()


def refusal(data):
    with pytest.raises(ValueError) as error:
        load(data)
    return str(error.value)


@given(VALUES)
def test_plain_values_come_back_as_python_pickled_them(value):
    assert load(pickle.dumps(value, protocol=2)) == value


@given(VALUES)
def test_pickles_follow_each_other(value):
    reader = RestrictedUnpickler(
        pickle.dumps(value, protocol=2) + b"\x80\x02K\x07.", ""
    )
    assert reader.load() == value
    assert reader.load() == 7
    assert reader.position == len(reader.data)


@given(VALUES, st.data())
def test_a_pickle_that_is_cut_off_is_said_to_be(value, data):
    pickled = pickle.dumps(value, protocol=2)
    cut = data.draw(st.integers(0, len(pickled) - 1))
    assert "file.pt, byte " in refusal(pickled[:cut])


def test_recursive_values_are_read():
    items = []
    items.append((items, 1))
    again = load(pickle.dumps(items, protocol=2))
    assert again[0][0] is again


def test_counters_become_dicts_with_their_counts():
    counter = collections.Counter({"so": 3, "glad": 1})
    assert load(pickle.dumps(counter, protocol=2)) == {"so": 3, "glad": 1}
    by_default = collections.defaultdict(list, {4: [1]})
    assert load(pickle.dumps(by_default, protocol=2)) == {4: [1]}


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (os.system, f"{os.system.__module__}.system"),
        (eval, "__builtin__.eval"),
        (getattr, "__builtin__.getattr"),
        (__import__, "__builtin__.__import__"),
        (bytearray, "__builtin__.bytearray"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_file_asks_for_beyond_a_checkpoint_is_refused_by_name(
    function, named, tmp_path
):
    made = tmp_path / "made"
    message = refusal(pickle.dumps(Calls(function, f"touch {made}"), protocol=2))
    assert f"asks for `{named}`" in message
    assert "file.pt, byte 2:" in message
    assert not made.exists()


def test_names_that_are_known_cannot_be_turned_to_something_else():
    name = b"\x80\x02ccollections\nOrderedDict\n"
    attributes = b"}X\x01\x00\x00\x00aK\x01s"
    cases = {
        # Attributes for the class itself, by way of BUILD.
        name + attributes + b"b.": "attributes for a Global",
        # A call of what a call returned, of a number, and with no tuple.
        name + b")R)R.": "a call of a dict",
        b"\x80\x02K\x01)R.": "a call of a int",
        name + b"]R.": "a call of a Global",
        # Dicts of what has no pairs.
        name + b"K\x01\x85R.": "not iterable",
        name + b"]K\x01a\x85R.": "no pairs",
        b"\x80\x02ctorch\nFloatStorage\n)R.": "`torch.FloatStorage` is not made",
        b"\x80\x02cutils.datasets\nVocab\nK\x01\x85\x81.": "Vocab` is not made",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.": "missing",
        b"\x80\x02cutils.datasets\nVocab\n)\x81]b.": "attributes for a Vocab",
        b"\x80\x02K\x01Q.": "a reference outside the pickle",
    }
    for data, expected in cases.items():
        assert expected in refusal(data), data


def test_keys_that_would_have_to_be_hashed_deep_are_refused():
    # Each tuple holds the one before twice: its hash would take 2**60 steps.
    doubling = b"\x80\x02}" + b")" + b"q\x00h\x00\x86" * 60 + b"K\x01s."
    assert "a dict with a tuple as key" in refusal(doubling)
    assert "a dict with a tuple as key" in refusal(pickle.dumps({(1,): 2}, protocol=2))


MODULUS = 2**61 - 1


@pytest.mark.parametrize(
    "keys",
    [
        [MODULUS * number for number in range(1, 20_000)],
        [7 + MODULUS * number for number in range(20_000)],
        [-MODULUS * number for number in range(1, 20_000)],
        # Below the modulus, but alike in all bits that choose the first places.
        [number << 44 for number in range(20_000)],
        # Two dicts in one: enough honest keys first.
        [*range(1000), *(MODULUS * number for number in range(1, 20_000))],
    ],
    ids=["multiples", "same remainder", "negative", "high bits", "after honest keys"],
)
@pytest.mark.parametrize(
    "make",
    [dict, collections.Counter, collections.OrderedDict],
    ids=lambda m: m.__name__,
)
def test_integer_keys_that_collide_are_refused_before_they_cost_time(keys, make):
    # Python's own dicts are slow with these too: few enough for the test's sake.
    pickled = pickle.dumps(make(dict.fromkeys(keys[:1500])), protocol=2)
    begin = time.monotonic()
    assert "as its next key; checkpoints number items from 0" in refusal(pickled)
    assert time.monotonic() - begin < 0.5


def test_a_list_of_pairs_may_not_bring_colliding_keys_either():
    pairs = [[MODULUS * number, 0] for number in range(1, 1000)]
    pickled = pickle.dumps(Calls(collections.OrderedDict, pairs), protocol=2)
    assert "as its next key; checkpoints number items from 0" in refusal(pickled)


def test_words_numbered_from_zero_and_addresses_of_tensors_are_fine():
    words = {number: str(number) for number in range(5000)}
    assert load(pickle.dumps(words, protocol=2)) == words
    addresses = {140_737_488_355_328 + 64 * number: number for number in range(60)}
    assert load(pickle.dumps(addresses, protocol=2)) == addresses


def test_float_keys_are_refused():
    assert "a dict with a float as key" in refusal(pickle.dumps({0.5: 1}, protocol=2))


def test_values_are_kept_under_numbers_without_gaps():
    spread = b"".join(
        b"K\x01r" + (number << 20).to_bytes(4, "little") for number in range(1, 9)
    )
    assert "kept as number 1048576, after 0 of them" in refusal(b"\x80\x02" + spread)


def test_the_errors_do_not_print_what_is_huge():
    doubling = b"]q\x00" + b"q\x00h\x00\x86" * 60
    message = refusal(b"\x80\x02" + doubling + doubling + b"s.")
    assert len(message) < 200


def test_broken_stacks_marks_and_memos_are_refused():
    cases = {
        b"\x80\x02.": "without the values",
        b"\x80\x02(.": "without the values",
        b"\x80\x02t.": "without the mark",
        b"\x80\x02h\x07.": "number 7 was never kept",
        b"\x80\x02K\x01K\x02.": "values left over",
        b"\x80\x02(K\x01K\x02u.": "without the values",
        b"\x80\x02}(K\x01u.": "a key without a value",
        b"\x80\x02K\x01K\x02a.": "a list expected, found a int",
        b"\x80\x04.": "protocol 4",
        b"\x80\x02X\xff\xff\xff\xffabc.": "4294967295 bytes expected",
        b"\x80\x02cos": "a name without an end",
        b"\x80\x02X\x01\x00\x00\x00\xff.": "can't decode",
    }
    for data, expected in cases.items():
        assert expected in refusal(data), data


def test_instructions_that_no_checkpoint_needs_are_refused():
    handled = 0
    for opcode in pickletools.opcodes:
        code = opcode.code.encode("latin-1")
        message = refusal(b"\x80\x02" + code)
        handled += f"the pickle instruction {code!r}" not in message
    # Two in five of all; INST, OBJ, EXT, STACK_GLOBAL, … are not among them.
    assert handled == 32
    for code in (b"i", b"o", b"\x82", b"\x92", b"\x93", b"P", b"I", b"\x95"):
        assert f"instruction {code!r}" in refusal(b"\x80\x02" + code)


@given(st.binary(max_size=60))
def test_random_bytes_end_in_a_value_or_in_an_error(data):
    try:
        load(b"\x80\x02" + data)
    except ValueError as error:
        assert str(error).startswith("file.pt, byte ")
