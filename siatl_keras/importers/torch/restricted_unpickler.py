"""`RestrictedUnpickler`: reads a pickle without running anything that it names.

Python's own unpickler imports and calls what the file says. This one knows the thirty
instructions of protocol 2 (PyTorch's) that build plain values, takes every name for a
name only, and looks what may be made of it up in a table. A subclass of
`pickle.Unpickler` with a `find_class` of its own is no match: a file of eight bytes
(`LONG_BINPUT` with a high number) makes it allocate gigabytes before it asks anybody.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from siatl_keras.importers.torch.torch_objects import KNOWN, Global, Vocab, set_item


class RestrictedUnpickler:
    """Reads one pickle after the other from bytes.

    Args:
        data: bytes or a mapped file.
        name: of the file, for errors.
        position: index of the first byte.
        end: index behind the last byte; all of `data` if left out.
        persistent_load: makes an object of a reference to one outside the pickle.

    Attributes:
        position: where the next pickle, or what follows the last one, begins.
    """

    def __init__(
        self,
        data: Any,
        name: str,
        position: int = 0,
        end: int | None = None,
        persistent_load: Callable[[Any], Any] | None = None,
    ) -> None:
        self.data = data
        self.name = name
        self.position = position
        self.end = len(data) if end is None else end
        self.persistent_load = persistent_load
        self._begin()

    def _begin(self) -> None:
        self._stack: list[Any] = []
        self._marks: list[int] = []
        # Pickle numbers what it keeps from 0; a dict could be made to collide.
        self._memo: list[Any] = []

    def load(self) -> Any:
        """Reads a pickle.

        Returns:
            its value, made of dict, list, tuple, str, int, float, bool, `None`,
            `Tensor` and `Vocab`.

        Raises:
            ValueError: that names the file, the byte, and what is wrong there: the
                file ends, is no such pickle, or holds something that is refused.
        """
        self._begin()
        while True:
            at = self.position
            try:
                opcode = self.take(1)
                if opcode == b".":
                    value = self._pop()
                    if self._stack or self._marks:
                        raise ValueError("the pickle ends with values left over")
                    return value
                instruction = _INSTRUCTIONS.get(opcode)
                if instruction is None:
                    raise ValueError(
                        f"the pickle instruction {opcode!r} is none of those that a "
                        "checkpoint of PyTorch's protocol 2 needs; it is refused"
                    )
                instruction(self)
            except (ValueError, TypeError) as error:
                raise ValueError(f"{self.name}, byte {at}: {error}.") from error

    def take(self, count: int) -> bytes:
        """Returns the next `count` bytes; `ValueError` if there are fewer."""
        start = self.position
        self.skip(count)
        return self.data[start : self.position]

    def skip(self, count: int) -> None:
        """Goes past `count` bytes unread; `ValueError` if there are fewer."""
        if count > self.end - self.position:
            raise ValueError(
                f"the file ends in the middle: {count} bytes expected, "
                f"{max(self.end - self.position, 0)} left"
            )
        self.position += count

    def _number(self, code: str) -> int:
        return struct.unpack(code, self.take(struct.calcsize(code)))[0]

    def _line(self) -> str:
        # Names are short; a line that does not end is not searched to the file's end.
        stop = self.data.find(b"\n", self.position, min(self.end, self.position + 200))
        if stop < 0:
            raise ValueError("a name without an end")
        return self.take(stop + 1 - self.position)[:-1].decode("ascii", "replace")

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        if len(self._stack) <= (self._marks[-1] if self._marks else 0):
            raise ValueError("an instruction without the values that it needs")
        return self._stack.pop()

    def _pop_to_mark(self) -> list[Any]:
        if not self._marks:
            raise ValueError("an instruction without the mark that it needs")
        mark = self._marks.pop()
        values = self._stack[mark:]
        del self._stack[mark:]
        return values

    def _top(self, kind: type) -> Any:
        value = self._pop()
        if not isinstance(value, kind):
            raise ValueError(
                f"a {kind.__name__} expected, found a {type(value).__name__}"
            )
        self._push(value)
        return value

    def _protocol(self) -> None:
        version = self._number("<B")
        if version > 2:
            raise ValueError(
                f"a pickle of protocol {version}; expected 2, which torch.save writes "
                "unless told otherwise"
            )

    def _tuple(self, count: int) -> None:
        values = [self._pop() for _ in range(count)]
        self._push(tuple(reversed(values)))

    def _append(self, values: list[Any]) -> None:
        self._top(list).extend(values)

    def _set_items(self, values: list[Any]) -> None:
        if len(values) % 2:
            raise ValueError("a key without a value")
        items = self._top(dict)
        for key, value in zip(values[::2], values[1::2], strict=True):
            set_item(items, key, value)

    def _set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._set_items([key, value])

    def _remember(self, index: int) -> None:
        value = self._pop()
        self._push(value)
        if index > len(self._memo):
            raise ValueError(
                f"a value is kept as number {index}, after {len(self._memo)} of them"
            )
        self._memo[index : index + 1] = [value]

    def _recall(self, index: int) -> None:
        if index >= len(self._memo):
            raise ValueError(f"the value number {index} was never kept")
        self._push(self._memo[index])

    def _global(self) -> None:
        module, name = self._line(), self._line()
        full = f"{module}.{name}"
        if full not in KNOWN:
            raise ValueError(
                f"the file asks for `{full}`, which no language model's checkpoint "
                "needs; it is refused, and nothing was run. Known names: "
                f"{', '.join(KNOWN)}"
            )
        self._push(Global(full))

    def _call(self) -> None:
        arguments, callee = self._pop(), self._pop()
        if not isinstance(callee, Global) or not isinstance(arguments, tuple):
            raise ValueError(f"a call of a {type(callee).__name__}; it is refused")
        make = KNOWN[callee.name]
        if make is None or (make is Vocab and arguments):
            raise ValueError(f"`{callee.name}` is not made this way; it is refused")
        self._push(make(*arguments))

    def _build(self) -> None:
        state, value = self._pop(), self._pop()
        self._push(value)
        if not isinstance(state, dict) or not isinstance(value, (dict, Vocab)):
            raise ValueError(
                f"attributes for a {type(value).__name__}; they are refused"
            )
        # A dict with attributes: what PyTorch hangs on a state dict is not needed.
        if isinstance(value, Vocab):
            value.attributes.update(state)

    def _reference(self) -> None:
        if self.persistent_load is None:
            raise ValueError("a reference outside the pickle, where none may be")
        self._push(self.persistent_load(self._pop()))


# Python's `pickletools` documents each.
_INSTRUCTIONS: dict[bytes, Callable[[RestrictedUnpickler], None]] = {
    b"\x80": RestrictedUnpickler._protocol,
    b"(": lambda self: self._marks.append(len(self._stack)),
    b"N": lambda self: self._push(None),
    b"\x88": lambda self: self._push(True),
    b"\x89": lambda self: self._push(False),
    b"J": lambda self: self._push(self._number("<i")),
    b"K": lambda self: self._push(self._number("<B")),
    b"M": lambda self: self._push(self._number("<H")),
    b"\x8a": lambda self: self._push(
        int.from_bytes(self.take(self._number("<B")), "little", signed=True)
    ),
    b"G": lambda self: self._push(self._number(">d")),
    b"X": lambda self: self._push(self.take(self._number("<I")).decode("utf-8")),
    b"}": lambda self: self._push({}),
    b"]": lambda self: self._push([]),
    b")": lambda self: self._push(()),
    b"\x85": lambda self: self._tuple(1),
    b"\x86": lambda self: self._tuple(2),
    b"\x87": lambda self: self._tuple(3),
    b"t": lambda self: self._push(tuple(self._pop_to_mark())),
    b"a": lambda self: self._append([self._pop()]),
    b"e": lambda self: self._append(self._pop_to_mark()),
    b"s": RestrictedUnpickler._set_item,
    b"u": lambda self: self._set_items(self._pop_to_mark()),
    b"q": lambda self: self._remember(self._number("<B")),
    b"r": lambda self: self._remember(self._number("<I")),
    b"h": lambda self: self._recall(self._number("<B")),
    b"j": lambda self: self._recall(self._number("<I")),
    b"c": RestrictedUnpickler._global,
    b"R": RestrictedUnpickler._call,
    b"\x81": RestrictedUnpickler._call,
    b"b": RestrictedUnpickler._build,
    b"Q": RestrictedUnpickler._reference,
}
