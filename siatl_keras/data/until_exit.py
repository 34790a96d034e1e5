"""`until_exit`: lets tf.data read from a generator without hanging when Python exits.

A thread of tf.data that is inside Python when the interpreter shuts down never comes
back, and the destructor of its iterator waits for it forever. TensorFlow refuses calls
made later (its pull request 21319), so what is under way must end before.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Iterator
from typing import TypeVar

Item = TypeVar("Item")

# Quiet for so long means that no thread is about to call; seconds.
QUIET = 0.2
LONGEST_WAIT = 10.0

_exiting = threading.Event()
# Not a lock: garbage collected inside one call may be an iterator that waits for
# another call. Adding to a set and taking from it are atomic.
_running: set[object] = set()
_last_call = [0.0]


def until_exit(items: Iterator[Item]) -> Iterator[Item]:
    """Yields `items`; when Python exits, ends with an error.

    An error, since a dataset that repeats would start again at an end of its data.

    Args:
        items: what to yield.

    Raises:
        RuntimeError: if the next item is asked for while Python exits.
    """
    call = object()
    while True:
        _running.add(call)
        try:
            if _exiting.is_set():
                raise RuntimeError("Python exits.")
            item = next(items)
        except StopIteration:
            return
        finally:
            _last_call[0] = time.monotonic()
            _running.discard(call)
        yield item


@atexit.register
def _wait_for_calls() -> None:
    _exiting.set()
    begin = time.monotonic()
    while time.monotonic() - begin < LONGEST_WAIT and (
        _running or time.monotonic() - _last_call[0] < QUIET
    ):
        time.sleep(QUIET / 10)
