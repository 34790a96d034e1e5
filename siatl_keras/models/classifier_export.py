"""`ClassifierExport`: `model.export` writes the classifier that is served.

Keras's own would write the graph from token ids to the LM's logits.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar


class ClassifierExport:
    """Mixin for a `SiATLClassifier`.

    Attributes:
        saved_model_writer: `siatl_keras.export.export_saved_model`, which that module,
            as it stands above the models, puts here.
    """

    saved_model_writer: ClassVar[Callable[[Any, str], str]]

    def export(
        self,
        filepath: str | os.PathLike[str],
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Writes the SavedModel that `siatl_keras.export.export_saved_model` writes.

        Args:
            filepath: folder to be made; unlike `export_saved_model`'s, it holds the
                model itself, no numbered versions.
            format: "tf_saved_model".
            verbose: bool, whether to print the path.
            **kwargs: none; others of `keras.Model.export` are refused.

        Raises:
            ValueError: if `format` is another, the folder exists, or the model has no
                preprocessor.
        """
        if format != "tf_saved_model" or any(v is not None for v in kwargs.values()):
            asked = {"format": format, **kwargs}
            raise ValueError(
                "A classifier is exported as a SavedModel that takes texts: call "
                "`export` with its path alone, or `siatl_keras.export."
                f"export_saved_model` for numbered versions. Received: {asked}."
            )
        path = Path(filepath)
        if path.exists():
            raise ValueError(f"{path} exists already. Export to another folder.")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".partial-") as folder:
            os.rename(type(self).saved_model_writer(self, folder), path)
        if verbose:
            print(f"Exported to {path}")
