"""`read_config`: a preset's JSON file, checked before Keras makes anything of it.

Keras imports what a config names, and some of its own classes load further files or
unpickle (`TorchModuleWrapper`, `TFSMLayer`). A preset needs none of these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import keras_hub

# What the fields that hold an object must hold.
PARTS: dict[str, type] = {
    "backbone": keras_hub.models.Backbone,
    "preprocessor": keras_hub.models.Preprocessor,
    "tokenizer": keras_hub.tokenizers.Tokenizer,
}
# Keras's own classes in presets: how precise and how quantised layers are.
POLICIES = {
    "DTypePolicy",
    "DTypePolicyMap",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "GPTQDTypePolicy",
}
# Assets, that lie in the preset beside the config.
ASSETS = ("vocabulary", "merges", "proto")
WHOLE = re.compile(
    r"(block_)?units|num_\w+|top_k|vocabulary_size|(\w+_)?dim|(max_)?sequence_length|"
    r"sliding_window(_size)?"
)
NOT_NEGATIVE = re.compile(r"(\w+_)?(dropout|dropout_rate|noise|epsilon)")


def read_config(path: Path, source: str, kind: type) -> dict[str, Any]:
    """Reads a JSON file that says how to make an object.

    Args:
        path: of the file.
        source: its name in errors.
        kind: class that the object must have.

    Returns:
        the config as read; `{}` stands for one in another library's format.

    Raises:
        ValueError: that names the file and the field: it is no JSON, names a class
            that is not registered with Keras or of another kind, or has a size, a
            rate or a path that cannot be.
    """
    config = read_json(path, source)
    if "registered_name" not in config and not {"class_name", "config"} & set(config):
        return {}
    try:
        _check_object(config, source, "", kind)
    except RecursionError as error:
        raise ValueError(f"{source}: nested too deep.") from error
    return config


def read_json(path: Path, source: str) -> dict[str, Any]:
    """Reads a JSON object, see `read_config`."""
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{source}: not JSON ({error}).") from error
    if not isinstance(value, dict):
        raise ValueError(
            f"{source}: a JSON object expected. Found: {type(value).__name__}."
        )
    return value


def _check_object(value: Any, source: str, at: str, kind: type | None) -> None:
    """Checks one serialised object and all in it."""
    where = f"{source}, `{at}`" if at else source
    if not isinstance(value, dict):
        raise ValueError(f"{where}: an object expected. Found: {_shown(value)}.")
    for field in ("class_name", "config"):
        if field not in value:
            raise ValueError(f"{where}: lacks the field `{field}`.")
    name, registered = value["class_name"], value.get("registered_name")
    known = keras.saving.get_registered_object(
        registered if isinstance(registered, str) else name if _is_text(name) else ""
    )
    if (
        value.get("module") in ("keras", "keras.dtype_policies")
        and str(name) in POLICIES
    ):
        known = keras.dtype_policies.DTypePolicy
    elif not isinstance(known, type) or known.__module__.startswith("keras."):
        raise ValueError(
            f"{where}: names the class {_shown(registered or name)} of "
            f"{_shown(value.get('module'))}, which is none of KerasHub's or "
            "siatl_keras's. It is refused, and nothing was imported. If it is your "
            "own, register it with `keras.saving.register_keras_serializable` first."
        )
    if kind is not None and not issubclass(known, kind):
        raise ValueError(
            f"{where}: a {kind.__name__} expected. Found: {known.__name__}."
        )
    inner = value["config"]
    if not isinstance(inner, dict):
        raise ValueError(
            f"{where}, `config`: an object expected. Found: {_shown(inner)}."
        )
    _check_fields(inner, source, f"{at}.config" if at else "config")


def _check_fields(fields: Mapping[str, Any], source: str, at: str) -> None:
    for name, value in fields.items():
        place = f"{at}.{name}"
        if problem := _problem(name, value):
            raise ValueError(
                f"{source}, `{place}`: {problem} expected. Found: {_shown(value)}."
            )
        if name in PARTS and value is not None:
            _check_object(value, source, place, PARTS[name])
        else:
            _check_value(value, source, place)


def _check_value(value: Any, source: str, at: str) -> None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            _check_value(item, source, f"{at}[{index}]")
    elif isinstance(value, dict):
        if "class_name" in value:
            _check_object(value, source, at, None)
        else:
            _check_fields(value, source, at)


def _problem(name: str, value: Any) -> str | None:
    """Says what a field of this name should hold, if it does not."""
    if name == "name" and not (value is None or _is_text(value)):
        return "a text"
    if name in ASSETS and value is not None:
        return "null, since it lies in the preset's assets,"
    if name == "config_file" and not (
        _is_text(value) and re.fullmatch(r"[\w-]+\.json", value)
    ):
        return "the plain name of a JSON file"
    if value is None:
        return None
    if name == "label_names" and not (
        isinstance(value, list) and all(map(_is_text, value))
    ):
        return "a list of texts"
    if WHOLE.fullmatch(name) and not (type(value) is int and 0 <= value < 1 << 31):
        return "a whole number"
    if NOT_NEGATIVE.fullmatch(name) and not (
        type(value) in (int, float) and 0 <= value < float("inf")
    ):
        return "a number that is not negative"
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _shown(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return f"a {type(value).__name__}"
    if isinstance(value, int) and abs(value) > 1 << 64:
        return "a huge number"
    return repr(value)[:40]
