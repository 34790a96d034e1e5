"""`save_training_state`, `load_training_state`: what training depends on, in a file.

One npz file, arrays and a JSON text, because a single file can be replaced atomically.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from siatl_keras.atomic import new_file
from siatl_keras.callbacks.read_arrays import read_arrays
from siatl_keras.compat import saving
from siatl_keras.presets.check_preset import named_errors

# What Keras's callbacks remember from epoch to epoch, and reset when training begins.
_REMEMBERED: dict[type, tuple[str, ...]] = {
    keras.callbacks.EarlyStopping: ("wait", "best", "best_epoch", "stopped_epoch"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
    keras.callbacks.ModelCheckpoint: ("best",),
    keras.callbacks.History: ("history", "epoch"),
}


def save_training_state(
    path: Path,
    model: keras.Model,
    callbacks: Sequence[keras.callbacks.Callback],
    epoch: int,
) -> None:
    """Writes the state of training to a file, atomically.

    Args:
        path: file to write or replace.
        model: the model in training, its optimizer built.
        callbacks: all callbacks of the run. Besides Keras's, those with
            `state_for_backup()` and `restore_from_backup(state)` are asked for a state
            that JSON can hold; `arrays_for_backup()` and `restore_arrays(arrays)` may
            add arrays to it.
        epoch: int, number of epochs that are done.
    """
    arrays: dict[str, Any] = _numbered("model", model.variables)
    arrays |= _numbered("optimizer", model.optimizer.variables)
    states = {}
    for key, callback in _keyed(callbacks):
        states[key] = _state_of(callback)
        arrays |= _numbered(f"callbacks/{key}", _arrays_of(callback))
    seed = saving.global_seed_state()
    name, keys, *rest = np.random.get_state(legacy=True)
    state = {
        "epoch": epoch,
        "stopped": bool(model.stop_training),
        "callbacks": states,
        "python_random": random.getstate(),
        "numpy_random": [name, np.asarray(keys).tolist(), *rest],
        "keras_random": None if seed is None else _array(seed).tolist(),
    }
    text = json.dumps(state, default=_plain)
    with new_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, state=np.array(text), **arrays)


def load_training_state(
    path: Path,
    model: keras.Model,
    callbacks: Sequence[keras.callbacks.Callback],
) -> tuple[int, bool]:
    """Restores what `save_training_state` wrote.

    Args:
        path: the file.
        model: the model, built and compiled as when the file was written.
        callbacks: all callbacks of the run, as when the file was written.

    Returns:
        `(epoch, stopped)`: the number of epochs done, and whether a callback had ended
        training after them.

    Raises:
        ValueError: if the file is broken or of another model.
    """
    arrays = read_arrays(path)
    state = _parsed(path, arrays.pop("state", None))
    with named_errors(str(path), str(path)):
        return _restore(path, arrays, state, model, callbacks)


def _restore(
    path: Path,
    arrays: dict[str, np.ndarray],
    state: dict[str, Any],
    model: keras.Model,
    callbacks: Sequence[keras.callbacks.Callback],
) -> tuple[int, bool]:
    # First, because a stage's optimizer must be in place before its moments are.
    for key, callback in _keyed(callbacks):
        if key in state["callbacks"]:
            mine = _with_prefix(f"callbacks/{key}", arrays)
            _restore_callback(callback, state["callbacks"][key], mine)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    for kind, variables in (
        ("model", model.variables),
        ("optimizer", model.optimizer.variables),
    ):
        _assign(path, kind, variables, _with_prefix(kind, arrays))
    _restore_random(state)
    return state["epoch"], state["stopped"]


def restore_weights(path: Path, model: keras.Model) -> None:
    """Gives a model the weights in a file that `save_training_state` wrote.

    Args:
        path: the file.
        model: the model that it was written for.

    Raises:
        ValueError: if the file is broken or of another model.
    """
    _assign(path, "model", model.variables, _with_prefix("model", read_arrays(path)))


def epochs_in_backup(path: Path) -> int:
    """Returns the number of epochs that were done when the file was written."""
    return _parsed(path, read_arrays(path, "state")["state"])["epoch"]


# What the JSON text of a backup holds.
_FIELDS: dict[str, tuple[type, ...]] = {
    "epoch": (int,),
    "stopped": (bool,),
    "callbacks": (dict,),
    "python_random": (list,),
    "numpy_random": (list,),
    "keras_random": (list, type(None)),
}


def _parsed(path: Path, text: np.ndarray | None) -> dict[str, Any]:
    """Reads the JSON text of a backup, and checks that its fields are there."""
    try:
        state = json.loads(str(text))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: `state` is no JSON ({error}). Delete the file to train from the "
            "start."
        ) from error
    for name, kinds in _FIELDS.items():
        value: Any = state.get(name) if isinstance(state, dict) else None
        if type(value) not in kinds or (name == "epoch" and value < 0):
            raise ValueError(
                f"{path}: `{name}`: {kinds[0].__name__} expected. Found: "
                f"{str(value)[:40]}. Delete the file to train from the start."
            )
    return state


def _state_of(callback: keras.callbacks.Callback) -> dict[str, Any]:
    if hasattr(callback, "state_for_backup"):
        return callback.state_for_backup()
    return {
        name: getattr(callback, name)
        for kind, names in _REMEMBERED.items()
        if isinstance(callback, kind)
        for name in names
    }


def _arrays_of(callback: keras.callbacks.Callback) -> Sequence[Any]:
    if hasattr(callback, "arrays_for_backup"):
        return callback.arrays_for_backup()
    return getattr(callback, "best_weights", None) or []


def _restore_callback(
    callback: keras.callbacks.Callback,
    state: dict[str, Any],
    arrays: list[np.ndarray],
) -> None:
    if hasattr(callback, "restore_from_backup"):
        callback.restore_from_backup(state)
    else:
        for name, value in state.items():
            setattr(callback, name, value)
    if hasattr(callback, "restore_arrays"):
        callback.restore_arrays(arrays)
    elif hasattr(callback, "best_weights"):
        callback.best_weights = arrays or None


def _restore_random(state: dict[str, Any]) -> None:
    version, internal, gauss = state["python_random"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, *rest = state["numpy_random"]
    np.random.set_state((name, np.array(keys, "uint32"), *rest))
    seed = saving.global_seed_state()
    if seed is not None and state["keras_random"] is not None:
        seed.assign(np.array(state["keras_random"]))


def _keyed(
    callbacks: Sequence[keras.callbacks.Callback],
) -> list[tuple[str, keras.callbacks.Callback]]:
    """Names callbacks by class and place among those of the class."""
    seen: dict[str, int] = {}
    keyed = []
    for callback in callbacks:
        name = type(callback).__name__
        keyed.append((f"{name}/{seen.setdefault(name, 0)}", callback))
        seen[name] += 1
    return keyed


def _numbered(prefix: str, values: Sequence[Any]) -> dict[str, _LateArray]:
    return {
        f"{prefix}/{index}": _LateArray(value) for index, value in enumerate(values)
    }


class _LateArray:
    """What becomes an array when it is written, so that memory holds one at a time."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return _array(self._value)


def _with_prefix(prefix: str, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
    names = [f"{prefix}/{index}" for index in range(len(arrays))]
    return [arrays[name] for name in names if name in arrays]


def _array(value: Any) -> np.ndarray:
    array = keras.ops.convert_to_numpy(value)
    # numpy's files do not know bfloat16; float32 holds all its values.
    return array.astype("float32") if array.dtype.kind == "V" else array


def _assign(
    path: Path,
    kind: str,
    variables: Sequence[keras.Variable],
    arrays: Sequence[np.ndarray],
) -> None:
    expected = [tuple(variable.shape) for variable in variables]
    received = [array.shape for array in arrays]
    if expected != received:
        raise ValueError(
            f"{path}: the backup's {kind} has {len(received)} variables, this run's "
            f"{len(expected)}, or their shapes differ. Build and compile the model as "
            "in the run that made the backup, or delete the file to train from the "
            "start."
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _plain(value: Any) -> Any:
    """Makes numpy's and TensorFlow's numbers ones that JSON knows."""
    return keras.ops.convert_to_numpy(value).tolist()
