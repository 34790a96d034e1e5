"""`in_order`: callbacks in the one order in which each sees what it needs.

Keras calls callbacks in the order of their list, and tells none of the others. A
history should hold what all others have logged, and a backup the state in which all
others have left the epoch.
"""

from __future__ import annotations

from typing import Any

import keras

from siatl_keras.callbacks.backup_and_restore import BackupAndRestore
from siatl_keras.callbacks.complete_logs import CompleteLogs
from siatl_keras.callbacks.epoch_lines import EpochLines

# What comes last, one after the other.
LAST: tuple[Any, ...] = (
    CompleteLogs,
    (keras.callbacks.History, keras.callbacks.CSVLogger),
    (BackupAndRestore, keras.callbacks.BackupAndRestore),
)


def in_order(callbacks: Any = None, verbose: Any = 0) -> list[keras.callbacks.Callback]:
    """Puts callbacks in order, and tells those that ask about the others.

    The `fit` of this package's models does it by itself; that of another Keras model
    needs it where there is a `BackupAndRestore`.

    Args:
        callbacks: list of Keras callbacks, nested lists too, or `None`.
        verbose: as for `keras.Model.fit`.

    Returns:
        list for `fit(callbacks=)`, which has a `History`, and `EpochLines` where
        `verbose` asks for any. Of those given, those that write down logs come behind
        all others, and backups last.

    Example:
    >>> given = [keras.callbacks.CSVLogger("log.csv"), keras.callbacks.EarlyStopping()]
    >>> [type(callback).__name__ for callback in in_order(given)]
    ['EarlyStopping', 'CSVLogger', 'History']
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = callbacks.callbacks
    given = [c for c in keras.tree.flatten(callbacks or []) if c is not None]

    def has(kind: type) -> bool:
        return any(isinstance(callback, kind) for callback in given)

    if verbose and not has(keras.callbacks.ProgbarLogger):
        given.append(EpochLines())
    if not has(keras.callbacks.History):
        given.append(keras.callbacks.History())
    given.sort(key=_place)  # Stable: the rest stays as it is.
    for callback in given:
        if hasattr(callback, "meet"):
            callback.meet([other for other in given if other is not callback])
    return given


def _place(callback: Any) -> int:
    places = [place for place, kind in enumerate(LAST, 1) if isinstance(callback, kind)]
    return places[0] if places else 0
