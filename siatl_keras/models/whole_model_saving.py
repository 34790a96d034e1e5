"""`saved_whole`: what Keras can save and copy of a task model, and what it cannot.

`.keras` files, weights, JSON, `copy.deepcopy` and `pickle` go by the constructor's
arguments and work; the old HDF5 format and `clone_model` go by the graph of layers, and
would lose the class.
"""

from __future__ import annotations

import functools
import os
from typing import Any, TypeVar

from siatl_keras.compat import saving

Model = TypeVar("Model", bound=type)


def saved_whole(cls: Model) -> Model:
    """Lets a task model refuse what would save or copy a part of it.

    Args:
        cls: a `keras_hub.models.Task` with a `get_config` of its own.

    Returns:
        the class.
    """
    model_class: Any = cls
    save, get_config = model_class.save, model_class.get_config

    @functools.wraps(save)
    def save_whole(
        model: Any, filepath: str | os.PathLike[str], *args: Any, **kwargs: Any
    ) -> None:
        if str(filepath).endswith((".h5", ".hdf5")):
            raise _no_hdf5(filepath)
        save(model, filepath, *args, **kwargs)

    @functools.wraps(get_config)
    def get_config_to_save(model: Any) -> dict[str, Any]:
        if saving.is_saving_to_hdf5():
            raise _no_hdf5("the file")
        return get_config(model)

    def refuse(model: Any) -> None:
        name = type(model).__name__
        raise ValueError(
            f"`clone_model` cannot copy a {name}: it would return a bare graph of "
            "layers, without preprocessor and LM loss. For the same weights, call "
            f"`copy.deepcopy(model)`; for new ones, "
            f"`{name}.from_config(model.get_config())`, then `compile`."
        )

    model_class.save, model_class.get_config = save_whole, get_config_to_save
    saving.refuse_cloning(model_class, refuse)
    return cls


def _no_hdf5(filepath: Any) -> ValueError:
    return ValueError(
        f"{filepath}: the old HDF5 format cannot hold this model. Save it as `.keras`, "
        "as a preset with `save_to_preset`, or its weights alone as `.weights.h5` with "
        "`save_weights`."
    )
