"""A model's optimizer: made, built and checked on all that may ever learn.

Keras traces a step once and builds an optimizer once: layers that were frozen, thawed,
adapted or quantised since would train wrongly without a word, or fail in the middle of
training.
"""

from __future__ import annotations

from typing import Any

import keras

from siatl_keras.compat.optimizer_parts import optimized_variables
from siatl_keras.models.learning_parts import adapters
from siatl_keras.optimizers import GroupedOptimizer


def refuse_xla(jit_compile: Any) -> None:
    """Raises a `ValueError` if a model with the LM loss is to be compiled with XLA.

    Args:
        jit_compile: as for `keras.Model.compile`.
    """
    if jit_compile is True:
        raise ValueError(
            "`jit_compile` must be False: the LM loss walks over the real tokens of a "
            "batch, and XLA compiles no loop whose length it does not know. "
            "(`siatl_keras.layers.LSTM` by itself can be compiled.)"
        )


def bound_optimizer(model: Any, optimizer: Any) -> keras.optimizers.Optimizer:
    """Makes the optimizer of a model, told its groups.

    Args:
        model: has `parts`, the `LayerPart`s that may learn.
        optimizer: a Keras optimizer, its name or configuration.

    Raises:
        ValueError: if it is none, or its groups are not the model's.
    """
    optimizer = keras.optimizers.get(optimizer)
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(
            "`optimizer` must be a `keras.optimizers.Optimizer`, or its name. "
            f"Received: {optimizer!r}."
        )
    if isinstance(optimizer, GroupedOptimizer) and not optimizer.built:
        optimizer.bind_model(model)
    return optimizer


def build_optimizer(model: Any) -> None:
    """Builds a model's optimizer on all that may ever learn, frozen at present or not.

    One built on a stage's own variables would not know those of the next. Not before it
    is needed: a model that only answers does not hold Adam's moments.

    Args:
        model: a compiled model.
    """
    if not model.optimizer.built:
        optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        if isinstance(optimizer, GroupedOptimizer):
            # Again: adapters may have come since `compile`.
            variables = optimizer.bind_model(model)
        else:
            variables = _may_learn(model)
        with model.distribute_strategy.scope():
            model.optimizer.build(variables)


def learning_has_changed(model: Any) -> bool:
    """Says whether other variables learn than in the step that Keras traced last.

    Args:
        model: a compiled model, about to trace a step; its optimizer gets built.

    Raises:
        ValueError: if nothing learns, or the model has changed since `compile`.
    """
    build_optimizer(model)
    check_optimizer(model)
    learning = tuple(id(variable) for variable in model.trainable_variables)
    before = getattr(model, "traced_variables", None)
    model.traced_variables = learning
    return before != learning


def check_optimizer(model: Any) -> None:
    """Checks that a model's optimizer knows what learns.

    Args:
        model: a compiled model.

    Raises:
        ValueError: if nothing learns, or the model has changed since `compile`.
    """
    if not model.trainable_variables:
        raise ValueError(
            "The model has nothing to learn: all its layers are frozen. Set "
            "`trainable = True` on those that should learn."
        )
    known = optimized_variables(model.optimizer)
    ids = {id(variable) for variable in known}
    adapted = {id(v) for v in adapters(model.backbone.layers)}
    unknown = [
        variable
        for variable in _may_learn(model)
        if id(variable) not in ids and (variable.trainable or id(variable) in adapted)
    ]
    present = {id(v) for v in model.variables}
    gone = [variable for variable in known if id(variable) not in present]
    if unknown or gone:
        raise ValueError(
            f"The model has changed since `compile`: {_change(unknown, gone)}. "
            "Call `compile` again after `enable_lora`, `quantize` or any other "
            "change of the layers, and before `fit`."
        )


def _may_learn(model: Any) -> list[keras.Variable]:
    return [variable for part in model.parts for variable in part.variables]


def _change(unknown: list[keras.Variable], gone: list[keras.Variable]) -> str:
    parts = []
    for variables, what in (
        (unknown, "has no state for {} weights that learn, such as {}"),
        (gone, "still holds {} weights that the model no longer has, such as {}"),
    ):
        if variables:
            parts.append(what.format(len(variables), variables[0].path))
    return "its optimizer " + " and ".join(parts)
