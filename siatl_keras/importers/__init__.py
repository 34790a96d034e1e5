"""Language models of other programs: llama.cpp's and Hugging Face's, the authors'."""

from siatl_keras.importers import torch
from siatl_keras.importers.gguf_import import import_gguf
from siatl_keras.importers.hugging_face import import_hugging_face

__all__ = ["import_gguf", "import_hugging_face", "torch"]
