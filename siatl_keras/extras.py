"""`needed`: packages that not everybody needs, by the extra that installs them."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

# The extra of each, see pyproject.toml.
EXTRAS = {
    "ai_edge_litert": "litert",
    "cleanlab": "labels",
    "gguf": "gguf",
    "huggingface_hub": "hub",
    "keras_tuner": "tune",
    "matplotlib": "plots",
    "onnxruntime": "onnx",
    "openpyxl": "tables",
    "pandas": "tables",
    "pyarrow": "tables",
    "safetensors": "hub",
    "tensorflow_serving": "serving",
    "tf2onnx": "onnx",
}


class MissingExtraError(ImportError):
    """A package is not installed; the message has the command that installs it."""


def needed(module: str) -> Any:
    """Imports a module of a package that an extra installs.

    Args:
        module: its name, such as "matplotlib.figure".

    Raises:
        MissingExtraError: if it is not there.

    Example:
    >>> needed("matplotlib.figure").Figure.__name__
    'Figure'
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{package} is not installed: {install_command(package)}."
        ) from error


def is_installed(package: str) -> bool:
    """Whether a package is there.

    Args:
        package: a key of `EXTRAS`.
    """
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):  # Something keeps it away, such as a hook.
        return False


def install_command(package: str) -> str:
    """Returns what installs a package.

    Args:
        package: a key of `EXTRAS`.
    """
    return f'pip install "siatl_keras[{EXTRAS[package]}]"'
