"""`check_preset`: what can be wrong with a preset, said before Keras loads it."""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras_hub

from siatl_keras.presets.check_assets import (
    MERGES,
    VOCABULARY,
    WORDS,
    check_merges,
    check_vocabulary,
    check_words,
)
from siatl_keras.presets.check_config import PARTS, read_config, read_json
from siatl_keras.presets.check_inside import check_inside
from siatl_keras.presets.stored_weights import stored_weights

CONFIG = "config.json"
FILES: dict[str, type] = {
    CONFIG: PARTS["backbone"],
    "tokenizer.json": PARTS["tokenizer"],
    "preprocessor.json": PARTS["preprocessor"],
    "task.json": keras_hub.models.Task,
}
MODEL_WEIGHTS = "model.weights.h5"
TASK_WEIGHTS = "task.weights.h5"
SHARDS = "model.weights.json"  # of a model saved in several files
# Optimizers, random states and metrics of a task, beside its weights.
SPARE_NUMBERS = 100_000


def check_preset(
    preset: str, find: Callable[[str], Path | None], names: Sequence[str], weights: bool
) -> int | None:
    """Checks files of a preset, and against each other.

    Args:
        preset: its folder or handle, for errors.
        find: gives the path of a file of the preset by name, `None` if there is none.
        names: those of `FILES` that are to be loaded.
        weights: whether its weights, if it has any, are to be compared with its sizes.

    Returns:
        how many numbers the variables of its model can have; `None` if nothing tells.

    Raises:
        ValueError: that names the file and the field.
    """
    if os.path.isdir(preset):
        _check_links(Path(preset))
    configs = {
        name: read_config(path, f"{preset}/{name}", kind)
        for name, kind in FILES.items()
        if name in names and (path := find(name))
    }
    if configs.get("tokenizer.json"):
        size = configs.get(CONFIG, {}).get("config", {}).get("vocabulary_size")
        _check_assets(preset, find, size)
    if not weights or not configs.get(CONFIG):
        return None
    arrays = _weights(preset, find, "task.json" in configs)
    if not arrays:
        return None
    _check_sizes(configs, arrays, preset)
    numbers = sum(math.prod(shape) for shape in arrays.values())
    return 4 * numbers + SPARE_NUMBERS


@contextlib.contextmanager
def named_errors(source: str, preset: str) -> Iterator[None]:
    """Turns whatever loading raises into a `ValueError` that names the file.

    What Keras, KerasHub and HDF5 raise on a file that is wrong inside is not for us to
    foresee: TypeError, KeyError, AttributeError, EOFError, OSError without a number, ….

    Args:
        source: the file being loaded, as errors shall call it.
        preset: the folder or handle; an error that begins with it has its name.
    """
    try:
        yield
    except ImportError:
        raise
    except Exception as error:
        # A full disk or a missing right is not the preset's fault.
        if isinstance(error, OSError) and error.errno and not _is_missing(error):
            raise
        if isinstance(error, ValueError) and str(error).startswith(preset):
            raise
        raise ValueError(f"{source}: cannot be loaded ({_root_of(error)}).") from error


def _is_missing(error: OSError) -> bool:
    return isinstance(error, FileNotFoundError)


def _root_of(error: Exception) -> str:
    """Leaves out the configs that Keras prints whole around what went wrong."""
    text = str(error).rsplit("Exception encountered: ", 1)[-1]
    text = re.sub(r"\s+", " ", text).strip()
    return f"{type(error).__name__}: {text[:300]}"


def _check_links(folder: Path) -> None:
    inside = [folder.iterdir(), (folder / "assets").rglob("*")]
    for path in (path for paths in inside for path in paths):
        check_inside(path, folder)


def _check_assets(
    preset: str, find: Callable[[str], Path | None], size: int | None
) -> None:
    if path := find(WORDS):
        check_words(path, f"{preset}/{WORDS}", size)
    if path := find(VOCABULARY):
        vocabulary = check_vocabulary(path, f"{preset}/{VOCABULARY}", size)
        if path := find(MERGES):
            check_merges(path, f"{preset}/{MERGES}", vocabulary)


def _weights(
    preset: str, find: Callable[[str], Path | None], task: bool
) -> dict[str, tuple[int, ...]]:
    """Lists the arrays of all weights files, shards of a big model included."""
    names = [MODEL_WEIGHTS]
    if path := find(SHARDS):
        names = _shards(path, f"{preset}/{SHARDS}")
    if task:
        names.append(TASK_WEIGHTS)
    weights: dict[str, tuple[int, ...]] = {}
    for name in names:
        if path := find(name):
            arrays = stored_weights(path, f"{preset}/{name}")
            weights |= {f"{name}/{key}": shape for key, shape in arrays.items()}
    return weights


def _shards(path: Path, source: str) -> list[str]:
    shards = read_json(path, source).get("weight_map")
    names: set[Any] = set()
    for value in shards.values() if isinstance(shards, dict) else [None]:
        names.update(map(str, value) if isinstance(value, list) else [str(value)])
    for name in names:
        if not re.fullmatch(r"[\w-]+\.weights\.h5", name):
            raise ValueError(
                f"{source}, `weight_map`: plain names of weights files expected. "
                f"Found: {name[:40]!r}."
            )
    return sorted(names)


def _check_sizes(
    configs: dict[str, Any], weights: dict[str, tuple[int, ...]], preset: str
) -> None:
    """Refuses sizes that no weight bears out, before any is allocated."""
    largest = max((max(shape, default=1) for shape in weights.values()), default=1)
    task = configs.get("task.json", {}).get("config", {})
    inner = (task.get("backbone") or {}).get("config", {})
    for name, fields in (
        (f"{preset}/{CONFIG}, `config", configs[CONFIG]["config"]),
        (f"{preset}/task.json, `config", task),
        (f"{preset}/task.json, `config.backbone.config", inner),
    ):
        for field, value in fields.items():
            if type(value) is not int:
                continue
            if re.fullmatch(r"num_\w*layers|depth", field) and value > len(weights):
                found = f"the weights have {len(weights)} arrays"
            elif (
                re.fullmatch(r"vocabulary_size|(\w+_)?dim|units", field)
                and value > 4 * largest
            ):
                found = f"the longest axis of all weights is {largest}"
            else:
                continue
            raise ValueError(
                f"{name}.{field}` is {value}, but {found}. Config and weights are not "
                "of the same model: save or download the preset again."
            )
