"""SiATL in Keras 3: fine-tune pretrained language models on a few hundred texts.

Source: Chronopoulou, Baziotis and Potamianos, NAACL 2019, arXiv 1902.10547.
"""

import importlib
from typing import Any

from siatl_keras import (
    callbacks,
    data,
    distribute,
    export,
    heads,
    inputs,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    plans,
    tasks,
    text,
)
from siatl_keras._version import __version__

# What needs scikit-learn, matplotlib or KerasTuner is imported when it is first used.
_ON_DEMAND = ("evaluation", "importers", "runs")

__all__ = [
    "__version__",
    "callbacks",
    "data",
    "distribute",
    "evaluation",
    "export",
    "heads",
    "importers",
    "inputs",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "plans",
    "runs",
    "tasks",
    "text",
]


def __getattr__(name: str) -> Any:
    if name in _ON_DEMAND:
        return importlib.import_module(f"siatl_keras.{name}")
    raise AttributeError(f"module 'siatl_keras' has no attribute {name!r}")
