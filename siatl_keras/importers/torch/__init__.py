"""The authors' language models: their PyTorch checkpoints to presets, and back."""

from siatl_keras.importers.torch.export_language_model import export_language_model
from siatl_keras.importers.torch.import_language_model import import_language_model
from siatl_keras.importers.torch.read_checkpoint import Checkpoint, read_checkpoint
from siatl_keras.importers.torch.state_dict import (
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
