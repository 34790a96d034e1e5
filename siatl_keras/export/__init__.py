"""What is served, in the formats that servers take."""

from siatl_keras.export.keras_file import export_keras
from siatl_keras.export.litert import export_litert
from siatl_keras.export.onnx import export_onnx
from siatl_keras.export.saved_model import export_saved_model

__all__ = ["export_keras", "export_litert", "export_onnx", "export_saved_model"]
