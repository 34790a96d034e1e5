import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.importers.torch.torch_objects import (
    Global,
    Storage,
    Tensor,
    storage_of,
)

NUMBERS = np.arange(24, dtype="f4")
STORAGE = Storage("0", NUMBERS.dtype, NUMBERS.size, lambda storage: NUMBERS)
FLOATS = Global("torch.FloatStorage")


def test_a_tensor_is_a_view_of_its_storage():
    transposed = Tensor(STORAGE, 4, (3, 2), (1, 3)).array()
    np.testing.assert_array_equal(transposed, NUMBERS[4:10].reshape(2, 3).T)
    assert np.shares_memory(transposed, NUMBERS)
    with pytest.raises(ValueError, match="read-only"):
        transposed[0, 0] = 1


def test_scalars_and_empty_tensors_are_read():
    assert Tensor(STORAGE, 23, (), ()).array() == 23
    assert Tensor(STORAGE, 24, (0, 5), (5, 1)).array().shape == (0, 5)


@pytest.mark.parametrize(
    ("offset", "shape", "strides", "said"),
    [
        (-1, (2,), (1,), "negative"),
        (0, (-2,), (1,), "negative"),
        (0, (2,), (-1,), "negative"),
        (0, (2.0,), (1,), "odd size"),
        (0, (True,), (1,), "odd size"),
        (0, ((2,),), (1,), "odd size"),
        (0, (2, 3), (1,), "odd axes"),
        (0, (1,) * 9, (1,) * 9, "odd axes"),
        (23, (2,), (1,), "outside its storage of 24"),
        (0, (5, 5), (5, 1), "outside its storage"),
        (0, (2,), (24,), "outside its storage"),
        (0, (2**40,), (0,), "outside its storage"),
        (0, (2**2000, 2), (1, 1), "a huge number"),
    ],
)
def test_views_that_leave_their_storage_are_refused(offset, shape, strides, said):
    with pytest.raises(ValueError, match=said):
        Tensor(STORAGE, offset, shape, strides)


@given(
    st.integers(-2, 30),
    st.lists(st.tuples(st.integers(-1, 6), st.integers(-1, 8)), max_size=3),
)
def test_every_view_is_refused_or_lies_inside(offset, axes):
    shape = tuple(length for length, _ in axes)
    strides = tuple(stride for _, stride in axes)
    try:
        array = Tensor(STORAGE, offset, shape, strides).array()
    except ValueError:
        return
    assert array.shape == shape
    for index in np.ndindex(shape):
        at = offset + sum(i * stride for i, stride in zip(index, strides, strict=True))
        assert array[index] == NUMBERS[at]


@pytest.mark.parametrize(
    ("saved_id", "said"),
    [
        ("storage", "no storage"),
        (("module", FLOATS, "0", "cpu", 1), "no storage"),
        (("storage", FLOATS, 0, "cpu", 1), "no storage"),
        (("storage", "FloatStorage", "0", "cpu", 1), "unknown class"),
        (("storage", Global("utils.datasets.Vocab"), "0", "cpu", 1), "unknown class"),
        (("storage", FLOATS, "0", "cpu", -1), "a storage of -1 numbers"),
        (("storage", FLOATS, "0", "cpu", True), "a storage of True numbers"),
    ],
)
def test_references_to_anything_but_a_storage_are_refused(saved_id, said):
    with pytest.raises(ValueError, match=said):
        storage_of(saved_id, 5, STORAGE.read)


def test_old_storages_that_are_views_are_refused():
    saved_id = ("storage", FLOATS, "0", "cpu", 2, ("1", 0, 2))
    with pytest.raises(ValueError, match="a view of another one"):
        storage_of(saved_id, 6, STORAGE.read)
