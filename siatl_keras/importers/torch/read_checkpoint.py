"""`read_checkpoint`: the authors' language-model checkpoints, without PyTorch.

Source: the file that the code of Chronopoulou et al. 2019 saves after each epoch.
"""

from __future__ import annotations

import dataclasses
import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np

from siatl_keras.importers.torch.legacy_format import read_legacy
from siatl_keras.importers.torch.torch_objects import Tensor, Vocab, shown
from siatl_keras.importers.torch.zip_format import read_zip


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A language model as its authors' code saved it.

    Args:
        name: the file.
        tensors: the state dict: read-only arrays over the mapped file.
        vocabulary: attributes of their `Vocab`: `tok2id`, `id2tok`, …
        config: their settings.
        epoch: int, epochs trained, or `None`.
        step: int, steps trained, or `None`.
    """

    name: str
    tensors: dict[str, np.ndarray]
    vocabulary: dict[str, Any]
    config: dict[str, Any]
    epoch: int | None
    step: int | None


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Reads a checkpoint of either of PyTorch's formats.

    The file is mapped, not copied, and nothing in it is run. The optimizer's state is
    skipped.

    Args:
        path: the `.pt` file.

    Returns:
        the `Checkpoint`.

    Raises:
        ValueError: that names the file and the place: there is none, it is damaged or
            cut off, it names something that a checkpoint does not need, or it is not a
            language model of the authors' code.
    """
    name = os.fspath(path)
    if not Path(path).is_file():
        raise ValueError(f"{name}: no such file.")
    with open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise ValueError(f"{name}: the file is empty.")
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        # Arrays over the map keep it, the file itself need not stay open.
        if data[:4] == b"PK\x03\x04":
            saved = read_zip(file, data, name)
        elif data[:3] == b"\x80\x02\x8a":
            saved = read_legacy(data, name)
        else:
            raise ValueError(
                f"{name}, byte 0: neither a zip archive nor PyTorch's old format."
            )
    parts = _parts(saved, name)
    return Checkpoint(
        name=name,
        tensors={key: tensor.array() for key, tensor in parts["model"].items()},
        vocabulary=parts["vocab"].attributes,
        config=parts["config"],
        epoch=_int_or_none(saved.get("epoch")),
        step=_int_or_none(saved.get("step")),
    )


def _parts(saved: Any, name: str) -> dict[str, Any]:
    kinds = {"config": dict, "model": dict, "vocab": Vocab}
    if not isinstance(saved, dict):
        raise ValueError(
            f"{name}: expected a dict with {', '.join(kinds)}, as the authors' code "
            f"saves it. Received: a {type(saved).__name__}."
        )
    for key, kind in kinds.items():
        if not isinstance(saved.get(key), kind):
            raise ValueError(
                f"{name}: `{key}` must be a {kind.__name__}, as the authors' code "
                f"saves it. Received: a {type(saved.get(key)).__name__}. Keys: "
                f"{', '.join(map(shown, list(saved)[:20]))}."
            )
    for key, tensor in saved["model"].items():
        if not isinstance(key, str) or not isinstance(tensor, Tensor):
            raise ValueError(f"{name}: `model[{shown(key)}]` is no tensor.")
    return saved


def _int_or_none(value: Any) -> int | None:
    return value if isinstance(value, int) else None
