"""Language models of other programs: llama.cpp's files, the authors' checkpoints."""

from siatl_keras.importers import torch
from siatl_keras.importers.gguf_import import import_gguf

__all__ = ["import_gguf", "torch"]
