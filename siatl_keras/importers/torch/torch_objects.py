"""What a PyTorch checkpoint may hold besides Python's own values, and nothing else.

Measured against PyTorch 2.13 and the format that PyTorch 0.4 wrote: tensors are views
(offset, sizes, strides) of storages, and storages lie outside the pickle.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

# PyTorch's storage classes of one kind of number each, and how the file holds them.
STORAGE_DTYPES: dict[str, np.dtype] = {
    "torch.FloatStorage": np.dtype("<f4"),
    "torch.DoubleStorage": np.dtype("<f8"),
    "torch.HalfStorage": np.dtype("<f2"),
    "torch.LongStorage": np.dtype("<i8"),
    "torch.IntStorage": np.dtype("<i4"),
    "torch.ShortStorage": np.dtype("<i2"),
    "torch.CharStorage": np.dtype("i1"),
    "torch.ByteStorage": np.dtype("u1"),
    "torch.BoolStorage": np.dtype("?"),
}


@dataclasses.dataclass(frozen=True)
class Global:
    """The name of a class or function that a pickle refers to. Only ever a name."""

    name: str


@dataclasses.dataclass(frozen=True)
class Storage:
    """Numbers in the file that tensors are views of.

    Args:
        key: what the file calls it.
        dtype: of its numbers.
        size: how many there are.
        read: gives them for this storage, as an array over the mapped file; raises a
            `ValueError` that names file and place.
    """

    key: str
    dtype: np.dtype
    size: int
    read: Callable[[Storage], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A tensor that has not been read yet.

    Args:
        storage: its `Storage`.
        offset: index of its first number in the storage.
        shape: its sizes.
        strides: numbers from one index to the next, for each axis.
    """

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self) -> None:
        numbers = (self.offset, *self.shape, *self.strides)
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError(f"a tensor with a negative or odd size: {self._view()}")
        if len(self.shape) != len(self.strides) or len(self.shape) > 8:
            raise ValueError(f"a tensor with odd axes: {self._view()}")
        size, last = 1, self.offset
        for length, stride in zip(self.shape, self.strides, strict=True):
            size *= length
            last += max(length - 1, 0) * stride
        # Views that repeat numbers, by a stride of 0, could claim any size.
        if size > self.storage.size or (size and last >= self.storage.size):
            raise ValueError(
                f"a tensor that reaches outside its storage of {self.storage.size} "
                f"numbers: {self._view()}"
            )

    def _view(self) -> str:
        sizes = [shown(number) for number in self.shape[:9]]
        strides = [shown(number) for number in self.strides[:9]]
        return (
            f"shape ({', '.join(sizes)}), strides ({', '.join(strides)}), "
            f"offset {shown(self.offset)}"
        )

    def array(self) -> np.ndarray:
        """Returns the numbers, a read-only view of the file where it can be one."""
        numbers = self.storage.read(self.storage)
        width = self.storage.dtype.itemsize
        return np.lib.stride_tricks.as_strided(
            numbers[self.offset :],
            self.shape,
            tuple(stride * width for stride in self.strides),
            writeable=False,
        )


@dataclasses.dataclass
class Vocab:
    """The authors' vocabulary, `utils.datasets.Vocab`: its attributes, no code."""

    attributes: dict[str, Any] = dataclasses.field(default_factory=dict)


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any) -> Tensor:
    if not isinstance(storage, Storage):
        raise ValueError("a tensor of something that is no storage")
    if not isinstance(shape, tuple) or not isinstance(strides, tuple):
        raise ValueError("a tensor whose sizes are no tuple")
    return Tensor(storage, offset, shape, strides)


def _rebuild_tensor_v2(
    storage: Any,
    offset: Any,
    shape: Any,
    strides: Any,
    requires_grad: Any = None,
    backward_hooks: Any = None,
    metadata: Any = None,
) -> Tensor:
    return _rebuild_tensor(storage, offset, shape, strides)


def _rebuild_parameter(data: Any, requires_grad: Any, backward_hooks: Any) -> Tensor:
    if not isinstance(data, Tensor):
        raise ValueError("a parameter of something that is no tensor")
    return data


def _dict(items: Any = ()) -> dict[Any, Any]:
    """`OrderedDict()`, `OrderedDict([[key, value], …])` or `Counter({…})`."""
    pairs = items.items() if isinstance(items, dict) else items
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
        raise ValueError("a dict of something that is no pairs")
    made: dict[Any, Any] = {}
    for key, value in pairs:
        set_item(made, key, value)
    return made


def _defaultdict(factory: Any = None) -> dict[Any, Any]:
    return {}


def shown(value: Any) -> str:
    """Shows a value of a file in an error: short, and not what it may hold in turn."""
    if isinstance(value, (str, int, float, type(None))):
        # Integers of a file can be longer than Python is willing to print.
        big = isinstance(value, int) and abs(value) > 1 << 64
        return "a huge number" if big else repr(value)[:60]
    return f"a {type(value).__name__}"


def set_item(items: dict[Any, Any], key: Any, value: Any) -> None:
    """Sets an item of a dict that a file describes, unless its key is made to hurt.

    Hashing a nested tuple can hang, and integers that the file chose can all fall on
    one place of the table: Python takes them modulo 2**61 - 1, and walks from place to
    place in a known order. A checkpoint numbers things from 0, or keys a few by their
    address in memory.

    Args:
        items: changed in place.
        key: str, int, bool or `None`.
        value: anything.

    Raises:
        ValueError: if the key is of another class, or an integer too large.
    """
    if not isinstance(key, (str, int, type(None))):
        raise ValueError(f"a dict with a {type(key).__name__} as key")
    if isinstance(key, int):
        few = len(items) < _FREE_KEYS and abs(key) < _HASH_MODULUS
        if not few and not 0 <= key < 2 * len(items) + _FREE_KEYS:
            raise ValueError(
                f"a dict of {len(items)} items with {shown(key)} as its next key; "
                "checkpoints number items from 0. It is refused"
            )
    items[key] = value


# A dict of so few items is quick whatever its keys; an optimizer's state has about as
# many as the model has tensors.
_FREE_KEYS = 200
_HASH_MODULUS = (1 << 61) - 1


# Everything that a checkpoint may name. What can be called is made by us, not by what
# bears the name; `None` is a name that stands for itself.
KNOWN: dict[str, Callable[..., Any] | None] = {
    "collections.OrderedDict": _dict,
    "collections.Counter": _dict,
    "collections.defaultdict": _defaultdict,
    "__builtin__.dict": None,  # the factories of `defaultdict`
    "__builtin__.list": None,
    "__builtin__.int": None,
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor_v2,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "utils.datasets.Vocab": Vocab,
    **dict.fromkeys(STORAGE_DTYPES),
}


def storage_of(
    saved_id: Any, fields: int, read: Callable[[Storage], np.ndarray]
) -> Storage:
    """Makes the storage that a pickle refers to.

    Args:
        saved_id: `("storage", class, key, device, size)`; the old format adds a view.
        fields: how many of these the format has.
        read: see `Storage`.

    Returns:
        the `Storage`; the device that it lived on does not matter.

    Raises:
        ValueError: if the reference is anything else.
    """
    if not isinstance(saved_id, tuple) or len(saved_id) != fields:
        raise ValueError("a reference to something that is no storage")
    kind, storage_class, key, _, size, *view = saved_id
    if kind != "storage" or not isinstance(key, str):
        raise ValueError("a reference to something that is no storage")
    if not isinstance(storage_class, Global) or (
        storage_class.name not in STORAGE_DTYPES
    ):
        raise ValueError("a storage of an unknown class")
    if type(size) is not int or size < 0:
        raise ValueError(f"a storage of {shown(size)} numbers")
    if any(part is not None for part in view):
        raise ValueError("a storage that is a view of another one")
    return Storage(key, STORAGE_DTYPES[storage_class.name], size, read)
