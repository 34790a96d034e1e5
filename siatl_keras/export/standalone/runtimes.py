"""The models' own files, each by its runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

Numbers = dict[str, np.ndarray]


class LiteRTModel:
    """Runs `model.tflite`, which has a signature for each number of texts.

    Args:
        path: of the file.
        threads: of the processor; the runtime chooses if `None`.
    """

    def __init__(self, path: Path, threads: int | None) -> None:
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(path), num_threads=threads)
        self.runners = {
            int(name.rpartition("_")[2]): interpreter.get_signature_runner(name)
            for name in interpreter.get_signature_list()
        }

    def batch_size(self, left: int) -> int:
        """Returns how many of the texts that are left to take at once."""
        return max(size for size in self.runners if size <= left)

    def __call__(self, inputs: Numbers) -> Numbers:
        """Computes outputs `[texts, …]` of inputs int32 `[texts, time]`."""
        return self.runners[len(inputs["token_ids"])](**inputs)


class OnnxModel:
    """Runs `model.onnx`.

    Args:
        path: of the file.
        threads: of the processor; the runtime chooses if `None`.
    """

    def __init__(self, path: Path, threads: int | None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        self.session = onnxruntime.InferenceSession(str(path), options)
        self.names = [output.name for output in self.session.get_outputs()]

    def batch_size(self, left: int) -> int:
        """Returns how many of the texts that are left to take at once."""
        return min(left, 32)

    def __call__(self, inputs: Numbers) -> Numbers:
        """Computes outputs `[texts, …]` of inputs int32 `[texts, time]`."""
        outputs = self.session.run(self.names, inputs)
        return dict(zip(self.names, outputs, strict=True))


def load_model(folder: Path, threads: int | None) -> Any:
    """Loads the model of an exported folder, whichever its format.

    Args:
        folder: of the export.
        threads: of the processor; the runtime chooses if `None`.
    """
    if (folder / "model.onnx").exists():
        return OnnxModel(folder / "model.onnx", threads)
    return LiteRTModel(folder / "model.tflite", threads)
