"""What of Keras's saving and copying is private and we must touch.

Each part says why it exists and the version it was checked against; each has a test in
`tests/compat/test_saving.py` that fails first when Keras moves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras.src.backend.common import global_state
from keras.src.saving import serialization_lib


def global_seed_state() -> keras.Variable | None:
    """Returns the state behind `keras.random` functions called without a seed.

    Checked against Keras 3.15.1.

    Returns:
        the variable, or `None` where nothing has been drawn from it.
    """
    generator = global_state.get_global_attribute("global_seed_generator")
    return None if generator is None else generator.state


def is_saving_to_hdf5() -> bool:
    """Tells whether Keras is writing the old HDF5 format.

    Its files cannot hold a task model, and fail in ways that hide it.
    Checked against Keras 3.15.1.
    """
    return bool(global_state.get_global_attribute("use_legacy_config"))


def in_safe_mode() -> bool:
    """Whether what is being made comes from a saved file that nobody vouched for.

    Keras asks this before it runs a saved lambda, KerasHub before it reads a file that
    a saved tokenizer names; there is no public way. Checked against Keras 3.15.1.
    """
    return bool(serialization_lib.in_safe_mode())


def refuse_cloning(cls: Any, refuse: Callable[[Any], None]) -> None:
    """Lets a functional model refuse `clone_model`, which cannot copy it.

    `keras.models.clone_model` asks the model for nothing but its graph, and would
    return a plain `Functional`. Checked against Keras 3.15.1.

    Args:
        cls: the `keras.Model`, changed in place.
        refuse: takes the model, and raises what says why.
    """

    def run_or_refuse(
        model: Any, inputs: Any, operation_fn: Any = lambda op: op, call_fn: Any = None
    ) -> Any:
        """Runs the graph, unless on layers that `clone_model` makes."""
        if operation_fn.__module__ == "keras.src.models.cloning":
            refuse(model)
        # Of a parent that Keras finds when the first model is made.
        return super(cls, model)._run_through_graph(
            inputs, operation_fn=operation_fn, call_fn=call_fn
        )

    cls._run_through_graph = run_or_refuse
