"""`write_standalone_folder`: a model, and all that it needs.

LiteRT and ONNX know no texts: a tokenizer as a file, and Python that reads it with
nothing but the standard library and numpy.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from siatl_keras.atomic import partial_folder, write_json, write_text
from siatl_keras.export.served import check_reads_texts, description
from siatl_keras.export.tokenizer_file import describe_tokenizer
from siatl_keras.export.versions import as_next_version

STANDALONE = Path(__file__).parent / "standalone"


def write_standalone_folder(
    model: Any,
    directory: str | os.PathLike[str],
    file: str,
    converted: Callable[[], bytes],
    model_card: str,
) -> str:
    """Makes the next version of a folder.

    Args:
        model: a `SiATLClassifier` with a preprocessor.
        directory: folder of the versions.
        file: name of the model's own file.
        converted: function that makes what stands in it.
        model_card: Markdown, what the model is; "" for none.

    Returns:
        the folder written, `<directory>/<version>`.

    Raises:
        ValueError: if the model is no classifier, has no preprocessor, computes in
            another dtype than float32, or has a tokenizer that nothing but its own
            package reads.
    """
    check_reads_texts(model)
    _check_float32(model)
    tokenizer = describe_tokenizer(model.preprocessor)
    root = Path(directory)
    with partial_folder(root) as folder:
        (folder / file).write_bytes(converted())
        write_json(folder / "tokenizer.json", tokenizer)
        write_json(folder / "served.json", description(model))
        shutil.copytree(
            STANDALONE, folder / "standalone", ignore=shutil.ignore_patterns("__pyc*")
        )
        if model_card:
            write_text(folder / "README.md", model_card)
        return str(as_next_version(folder, root))


def _check_float32(model: Any) -> None:
    computed = {layer.compute_dtype for layer in model.backbone.layers} - {"float32"}
    if computed - {"int32", "int64", "bool"}:
        raise ValueError(
            f"`model` must compute in float32. Received: layers in {sorted(computed)}. "
            'Load it with `from_preset(path, dtype="float32")`.'
        )
