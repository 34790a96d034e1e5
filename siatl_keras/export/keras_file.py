"""`export_keras`: a classifier as one file, for Python that has siatl_keras."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from siatl_keras.atomic import partial_folder, write_text
from siatl_keras.export.served import check_reads_texts
from siatl_keras.export.versions import as_next_version
from siatl_keras.models.raw_text_task import RawTextTask


def export_keras(
    model: Any, directory: str | os.PathLike[str], model_card: str = ""
) -> str:
    """Writes `model.keras` into the next free version of a folder.

    It holds everything, the language model's head and the tokenizer too, and can be
    trained on: `import siatl_keras` and `keras.saving.load_model` read it.

    Args:
        model: a `SiATLClassifier` with a preprocessor.
        directory: folder of the served model; versions are its numbered subfolders.
        model_card: Markdown, what the model is, which is written beside it as
            README.md; "" for none.

    Returns:
        the folder written, `<directory>/<version>`.

    Raises:
        ValueError: if the model is no classifier, or has no preprocessor.
    """
    check_reads_texts(model)
    root = Path(directory)
    with partial_folder(root) as folder:
        model.save(folder / "model.keras")
        if model_card:
            write_text(folder / "README.md", model_card)
        return str(as_next_version(folder, root))


RawTextTask.export_writers["keras"] = export_keras
