"""`LearningVariables`: a train function that fits what learns at present.

Keras traces a step once and compiles an optimizer once: layers that were frozen,
thawed, adapted or quantised since would train wrongly without a word, or fail in the
middle of training.
"""

from __future__ import annotations

from typing import Any

import keras

from siatl_keras import _keras_internals
from siatl_keras.models.adapted_layer import adapters


class LearningVariables:
    """Mixin for a `keras.Model` with `LayerGroups`, before other train functions."""

    _traced_variables: tuple[int, ...] = ()

    def make_train_function(self, force: bool = False) -> Any:
        """Makes the function that `fit` runs; see `keras.Model`.

        Args:
            force: bool, whether to make it again. It is also made again where other
                variables learn than at the last time.

        Raises:
            ValueError: if nothing learns, or the model has changed since `compile`.
        """
        self._check_optimizer()
        learning = tuple(id(v) for v in self.trainable_variables)  # type: ignore[attr-defined]
        changed = learning != self._traced_variables
        self._traced_variables = learning
        return super().make_train_function(force or changed)  # type: ignore[misc]

    def _check_optimizer(self) -> None:
        if not self.trainable_variables:  # type: ignore[attr-defined]
            raise ValueError(
                "The model has nothing to learn: all its layers are frozen. Set "
                "`trainable = True` on those that should learn."
            )
        optimizer = self.optimizer  # type: ignore[attr-defined]
        if optimizer is None or not optimizer.built:
            return
        known = _keras_internals.optimized_variables(optimizer)
        ids = {id(variable) for variable in known}
        adapted = {id(v) for v in adapters(self.backbone.layers)}  # type: ignore[attr-defined]
        groups = self.variable_groups.values()  # type: ignore[attr-defined]
        unknown = [
            variable
            for group in groups
            for variable in group
            if id(variable) not in ids
            and (variable.trainable or id(variable) in adapted)
        ]
        present = {id(v) for v in self.variables}  # type: ignore[attr-defined]
        gone = [variable for variable in known if id(variable) not in present]
        if unknown or gone:
            raise ValueError(
                f"The model has changed since `compile`: {_change(unknown, gone)}. "
                "Call `compile` again after `enable_lora`, `quantize` or any other "
                "change of the layers, and before `fit`."
            )


def _change(unknown: list[keras.Variable], gone: list[keras.Variable]) -> str:
    parts = []
    for variables, what in (
        (unknown, "has no state for {} weights that learn, such as {}"),
        (gone, "still holds {} weights that the model no longer has, such as {}"),
    ):
        if variables:
            parts.append(what.format(len(variables), variables[0].path))
    return "its optimizer " + " and ".join(parts)
