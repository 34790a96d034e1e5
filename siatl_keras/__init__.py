"""SiATL in Keras 3: fine-tune pretrained language models on a few hundred texts.

Source: Chronopoulou, Baziotis and Potamianos, NAACL 2019, arXiv 1902.10547.
"""

from siatl_keras import (
    callbacks,
    data,
    distribute,
    evaluation,
    export,
    inputs,
    layers,
    models,
    plans,
    text,
    torch_import,
    training,
    workflows,
)
from siatl_keras._version import __version__

__all__ = [
    "__version__",
    "callbacks",
    "data",
    "distribute",
    "evaluation",
    "export",
    "inputs",
    "layers",
    "models",
    "plans",
    "text",
    "torch_import",
    "training",
    "workflows",
]
