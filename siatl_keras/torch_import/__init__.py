"""The authors' language models: their PyTorch checkpoints to presets, and back."""

from siatl_keras.torch_import.export_language_model import export_language_model
from siatl_keras.torch_import.import_language_model import import_language_model
from siatl_keras.torch_import.read_checkpoint import Checkpoint, read_checkpoint
from siatl_keras.torch_import.state_dict import (
    backbone_from_state_dict,
    state_dict_of_backbone,
)

__all__ = [
    "Checkpoint",
    "backbone_from_state_dict",
    "export_language_model",
    "import_language_model",
    "read_checkpoint",
    "state_dict_of_backbone",
]
