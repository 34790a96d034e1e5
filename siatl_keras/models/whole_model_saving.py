"""`WholeModelSaving`: what Keras can save and copy of a task model, and what it cannot.

`.keras` files, weights, JSON, `copy.deepcopy` and `pickle` go by the constructor's
arguments and work; the old HDF5 format and `clone_model` go by the graph of layers, and
would lose the class.
"""

from __future__ import annotations

import os
from typing import Any

from siatl_keras import _keras_internals


class WholeModelSaving(_keras_internals.KnowsItsCloner):
    """Mixin for a `keras_hub.models.Task`."""

    def save(
        self,
        filepath: str | os.PathLike[str],
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Saves the model; see `keras.Model.save`.

        Args:
            filepath: path that ends in `.keras`.
            overwrite: bool, whether an existing file is replaced without asking.
            zipped: see `keras.Model.save`.
            **kwargs: see `keras.Model.save`.

        Raises:
            ValueError: if `filepath` asks for the old HDF5 format.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            raise no_hdf5(filepath)
        super().save(filepath, overwrite=overwrite, zipped=zipped, **kwargs)  # type: ignore[misc]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        if _keras_internals.is_saving_to_hdf5():
            raise no_hdf5("the file")
        return super().get_config()  # type: ignore[misc]

    def refuse_cloning(self) -> None:
        """Raises a `ValueError` with what to call in place of `clone_model`."""
        name = type(self).__name__
        raise ValueError(
            f"`clone_model` cannot copy a {name}: it would return a bare graph of "
            "layers, without preprocessor and LM loss. For the same weights, call "
            f"`copy.deepcopy(model)`; for new ones, "
            f"`{name}.from_config(model.get_config())`, then `compile`."
        )


def no_hdf5(filepath: Any) -> ValueError:
    """Says that the old HDF5 format cannot hold the model.

    Args:
        filepath: where it was to be saved.
    """
    return ValueError(
        f"{filepath}: the old HDF5 format cannot hold this model. Save it as `.keras`, "
        "as a preset with `save_to_preset`, or its weights alone as `.weights.h5` with "
        "`save_weights`."
    )
