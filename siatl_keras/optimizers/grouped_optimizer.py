"""`GroupedOptimizer`: one Keras optimizer for each of a model's layer groups.

Source: Chronopoulou et al. 2019, section 4: SGD for pretrained layers and Adam for
new ones, side by side in every step.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from siatl_keras.compat.optimizer_parts import (
    gradients_are_summed,
    sum_duplicates,
    summed_over_replicas,
)
from siatl_keras.optimizers.groups import PAPER_GROUPS, Group, groups_of


@keras.saving.register_keras_serializable(package="siatl_keras")
class GroupedOptimizer(keras.optimizers.MultiOptimizer):
    """Steps each group of variables with its own optimizer.

    Learning rate or schedule, weight decay and clipping are those of the group's
    optimizer. An optimizer given for several groups is one: it clips the norm over all
    of them. A step may bring the gradients of some groups only, as when others are
    frozen: an optimizer without gradients keeps its state and its `iterations`, so its
    schedule counts its own steps. Several replicas clip the sum of their gradients
    (Keras's optimizers clip each replica's), and equal one device.

    Args:
        optimizers: dict of group name to `keras.optimizers.Optimizer`; the names may
            also be of single layers, such as `backbone/lstm_1`, see `LayerGroups`.
        layer_groups: the `Group`s, the top one first; the paper's by default.
        loss_scale_factor: float, see `keras.optimizers.Optimizer`; overrides that of
            the groups' optimizers.
        name: name of the optimizer.

    Raises:
        ValueError: if `optimizers` is empty or holds something else.

    Example:
    >>> sgd = keras.optimizers.SGD(1e-4, global_clipnorm=1.0)
    >>> optimizer = GroupedOptimizer({
    ...     "task": keras.optimizers.Adam(5e-4, global_clipnorm=1.0),
    ...     "backbone": sgd, "embedding": sgd})
    >>> len(optimizer.optimizers)
    2
    """

    def __init__(
        self,
        optimizers: Mapping[str, keras.optimizers.Optimizer],
        layer_groups: Sequence[Group] = PAPER_GROUPS,
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        groups = _Groups(_checked(optimizers))
        super().__init__(groups, loss_scale_factor=loss_scale_factor, name=name)
        self.groups = groups
        self.layer_groups = tuple(layer_groups)

    def bind(self, variable_groups: Mapping[str, Sequence[keras.Variable]]) -> None:
        """Says which variables belong to which group; goes before `build`.

        Args:
            variable_groups: dict of group name to variables, frozen ones too.

        Raises:
            ValueError: if the names are not those of the optimizers.
        """
        if set(variable_groups) != set(self.groups):
            raise ValueError(
                "`GroupedOptimizer` needs one optimizer for each of the model's groups "
                f"{sorted(variable_groups)}. Received optimizers for: "
                f"{sorted(self.groups)}. Pass the same optimizer for groups that "
                "should share one."
            )
        self.groups.bind(variable_groups)

    def bind_model(self, model: Any) -> list[keras.Variable]:
        """Finds out which of a model's weights belong to which group, and binds them.

        What is in no group is frozen.

        Args:
            model: has `parts`, see `groups_of`.

        Returns:
            the weights of all groups, frozen ones too: what to `build` it on.

        Raises:
            ValueError: if the optimizers' names are not those of the model's groups.
        """
        found = groups_of(model, self.layer_groups)
        variables = found.variables_by_layer
        if set(variables) != set(self.groups):
            variables = {
                name: group
                for name, group in found.variables.items()
                if group or name in self.groups
            }
        self.bind(variables)
        for part in found.others:
            part.trainable = False
        return [variable for group in variables.values() for variable in group]

    def build(self, var_list: Sequence[keras.Variable]) -> None:
        """Makes the optimizers' variables.

        Args:
            var_list: variables of all groups, frozen ones too.

        Raises:
            ValueError: if a variable is in no group, or `bind` was not called.
        """
        if self.built:
            return
        super().build(list(var_list))
        self.groups.built = list(var_list)

    def apply(
        self,
        grads: Sequence[Any],
        trainable_variables: Sequence[keras.Variable] | None = None,
    ) -> None:
        """Makes one step of every optimizer that has gradients.

        Args:
            grads: gradients; `None` where a variable has none.
            trainable_variables: variables of the gradients, any part of those that the
                optimizer was built on; all of them if left out.

        Raises:
            ValueError: if a variable is unknown, or there is no gradient at all.
        """
        if trainable_variables is None:
            trainable_variables = self.groups.built
        elif not self.built:
            self.build(trainable_variables)
        pairs = _with_gradients(grads, list(trainable_variables))
        optimizers = [self.groups(variable) for _, variable in pairs]
        pairs = summed_over_replicas(self, pairs)
        gradients = [sum_duplicates(gradient) for gradient, _ in pairs]
        with gradients_are_summed(self):
            for optimizer in self.optimizers:
                mine = [
                    index
                    for index, other in enumerate(optimizers)
                    if other is optimizer
                ]
                if mine:
                    optimizer.apply(
                        [gradients[index] for index in mine],
                        [pairs[index][1] for index in mine],
                    )
        self.iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[keras.Variable]) -> None:
        """Writes averaged weights into the variables, for optimizers with `use_ema`."""
        for optimizer in self.optimizers:
            # One that never stepped has averaged nothing.
            steps = int(keras.ops.convert_to_numpy(optimizer.iterations))
            if optimizer.use_ema and steps > 0:
                optimizer.finalize_variable_values(
                    [v for v in self.groups.built if self.groups(v) is optimizer]
                )

    def save_own_variables(self, store: Any) -> None:
        """Saves what no group's optimizer saves: Keras's method would save all twice.

        Args:
            store: Keras's, of arrays by name.
        """
        for index, variable in enumerate(self._own_variables()):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Loads what `save_own_variables` saved; warns if it is another optimizer's.

        Args:
            store: Keras's, of arrays by name.
        """
        own = self._own_variables()
        if len(store.keys()) != len(own):
            super().load_own_variables(store)  # Which warns.
            return
        for index, variable in enumerate(own):
            variable.assign(store[str(index)])

    def _own_variables(self) -> list[keras.Variable]:
        others = {id(v) for o in self.optimizers for v in o.variables}
        return [v for v in self.variables if id(v) not in others]

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments; a group that shares an optimizer names the first."""
        first: dict[int, str] = {}
        optimizers: dict[str, Any] = {}
        for name, optimizer in self.groups.items():
            owner = first.setdefault(id(optimizer), name)
            optimizers[name] = (
                keras.optimizers.serialize(optimizer) if owner == name else owner
            )
        return {
            "optimizers": optimizers,
            "layer_groups": [[group.name, group.paths] for group in self.layer_groups],
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> GroupedOptimizer:
        """Makes an optimizer, without its state, from `get_config`'s result."""
        optimizers: dict[str, Any] = {}
        for name, value in config["optimizers"].items():
            # A copy, because Keras rewrites the class name in its argument.
            optimizers[name] = (
                optimizers[value]
                if isinstance(value, str)
                else keras.optimizers.deserialize(dict(value), custom_objects)
            )
        groups = [Group(*group) for group in config["layer_groups"]]
        return cls(**{**config, "optimizers": optimizers, "layer_groups": groups})


class _Groups(keras.optimizers.OptimizerMap):
    """Maps a variable to its group's optimizer, where Keras's goes by path.

    Holds the model's variables, which an optimizer's own attributes would take for
    the optimizer's.
    """

    def __init__(self, optimizers: dict[str, keras.optimizers.Optimizer]) -> None:
        super().__init__(next(iter(optimizers.values())), optimizers)
        self.built: list[keras.Variable] = []
        self._group_of: dict[int, str] = {}
        self._variables: list[keras.Variable] = []

    def bind(self, variable_groups: Mapping[str, Sequence[keras.Variable]]) -> None:
        # Kept, so that no other variable can come to have the same id.
        self._variables = [v for group in variable_groups.values() for v in group]
        self._group_of = {
            id(variable): name
            for name, variables in variable_groups.items()
            for variable in variables
        }

    def __call__(self, variable: keras.Variable) -> keras.optimizers.Optimizer:
        if not self._variables:
            raise ValueError(
                "`GroupedOptimizer` does not know which variables belong to which "
                "group. Call `optimizer.bind_model(model)` before the first step, "
                "as `SiATLClassifier.compile` does."
            )
        group = self._group_of.get(id(variable))
        if group is None:
            raise ValueError(
                f"Variable `{getattr(variable, 'path', variable)}` is in none of the "
                f"groups {sorted(self)}. Have a `Group` hold it, or freeze it."
            )
        return self[group]


def _checked(optimizers: Any) -> dict[str, keras.optimizers.Optimizer]:
    if not isinstance(optimizers, Mapping) or not optimizers:
        raise ValueError(
            "`optimizers` must be a dict of group name to optimizer. Received: "
            f"{optimizers!r}."
        )
    nested = (keras.optimizers.MultiOptimizer, keras.optimizers.LossScaleOptimizer)
    for name, optimizer in optimizers.items():
        if not isinstance(optimizer, keras.optimizers.Optimizer) or isinstance(
            optimizer, nested
        ):
            raise ValueError(
                f"`optimizers[{name!r}]` must be a plain `keras.optimizers.Optimizer` "
                "(loss scaling goes around the whole `GroupedOptimizer`). Received: "
                f"{optimizer!r}."
            )
    return dict(optimizers)


def _with_gradients(
    grads: Sequence[Any], variables: Sequence[keras.Variable]
) -> list[tuple[Any, keras.Variable]]:
    """Leaves out variables without a gradient, with Keras's warning."""
    if len(grads) != len(variables):
        raise ValueError(
            "`grads` must match `trainable_variables` one to one. Received: "
            f"{len(grads)} gradients for {len(variables)} variables."
        )
    pairs = list(zip(grads, variables, strict=True))
    missing = [variable.path for gradient, variable in pairs if gradient is None]
    if len(missing) == len(pairs):
        raise ValueError(f"No gradients provided for any variable: {missing}.")
    if missing:
        warnings.warn(
            f"Gradients do not exist for variables {missing} when minimizing the loss.",
            stacklevel=3,
        )
    return [pair for pair in pairs if pair[0] is not None]
