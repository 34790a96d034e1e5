"""`JointTask`: a KerasHub task model that is trained on a list of objectives.

Keras's own steps call the model, whose LM output is a `[batch, time, vocabulary]`
tensor; these compute each loss from the language model's states.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import keras
import keras_hub
import tensorflow as tf

from siatl_keras.compat import layer_parts
from siatl_keras.compat.trainer import repaired_training
from siatl_keras.models import joint_training
from siatl_keras.models.compile_arguments import is_auto
from siatl_keras.models.frozen_states import FrozenStates
from siatl_keras.models.joint_training import JointLoss
from siatl_keras.models.model_optimizer import (
    bound_optimizer,
    build_optimizer,
    learning_has_changed,
    refuse_xla,
)
from siatl_keras.models.objectives import Batch
from siatl_keras.models.whole_model_saving import saved_whole
from siatl_keras.optimizers.groups import LayerPart
from siatl_keras.presets.check_preset import named_errors


@saved_whole
@repaired_training
class JointTask(keras_hub.models.Task):
    """Compiling, steps and logs of a model with objectives.

    A subclass has `parts`, `states` and a `compile` that calls `compile_jointly`.
    `LSTMCausalLM` borrows methods: Keras makes no functional model of a class that has
    two parents which are models.

    Attributes:
        joint_loss: what it is compiled to minimise.
        compile_arguments: what `compile` was called with, "auto" left out.
    """

    joint_loss: JointLoss
    compile_arguments: Mapping[str, Any]
    # Of a batch that a step computes gradients of at once; `None` for all of them.
    tokens_at_once: int | None = None
    # Of the texts of a running `fit`; see `fit_prepared`.
    frozen_states: FrozenStates | None = None

    @property
    def parts(self) -> list[LayerPart]:
        """What may learn, the bottom layer first; see `siatl_keras.plans.Group`."""
        raise NotImplementedError

    def states(self, x: Any, training: bool = False) -> tf.Tensor:
        """Computes the language model's states, float `[batch, time, embedding]`.

        Args:
            x: dict of `token_ids` and `padding_mask`, int32 `[batch, time]`.
            training: bool, whether dropout is on.
        """
        raise NotImplementedError

    def batch_of(self, data: Any) -> Batch:
        """Takes a packed batch apart.

        Args:
            data: what Keras's steps get.
        """
        return Batch(*keras.utils.unpack_x_y_sample_weight(data))

    def training_log_names(self) -> list[str]:
        """Names the logs of training in which all layers learn."""
        return list(self.joint_loss.metrics(training=True))

    # === Compiling ===

    def compile_jointly(
        self,
        joint_loss: JointLoss,
        optimizer: Any,
        arguments: dict[str, Any],
        jit_compile: Any = False,
        **kwargs: Any,
    ) -> None:
        """Compiles; if it fails, the compilation before it stays as it was.

        Args:
            joint_loss: made under the model's strategy.
            optimizer: a Keras optimizer, its name or configuration.
            arguments: of the subclass's `compile`, beside those that follow.
            jit_compile: must be `False`.
            **kwargs: other arguments of `keras.Model.compile`.

        Raises:
            ValueError: if `jit_compile` is true, or the optimizer's groups are not the
                model's.
        """
        refuse_xla(jit_compile)
        bound = bound_optimizer(self, optimizer)
        super().compile(optimizer=bound, jit_compile=jit_compile, **kwargs)
        self.joint_loss = joint_loss
        self.compile_arguments = kept(optimizer=optimizer, **arguments, **kwargs)

    def recompile(self, optimizer: Any) -> None:
        """Recompiles with another optimizer, also in the middle of `fit`.

        `compile` alone removes the train function that `fit` is running.

        Args:
            optimizer: as for `compile`. Its state starts empty.
        """
        with self.distribute_strategy.scope():
            if isinstance(optimizer, keras.optimizers.Optimizer):
                # One made outside the strategy's scope does not work in it.
                optimizer = type(optimizer).from_config(optimizer.get_config())
            self.compile(**{**self.compile_arguments, "optimizer": optimizer})
        self.make_train_function(force=True)

    def get_compile_config(self) -> dict[str, Any]:
        """Returns `compile`'s arguments, serialized."""
        return keras.saving.serialize_keras_object(dict(self.compile_arguments))

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles with what `get_compile_config` returned."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        build_optimizer(self)

    # === Metrics ===

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """All metrics; none before `compile`."""
        if not hasattr(self, "joint_loss"):
            return []
        return list(self.joint_loss.metrics().values())

    def get_metrics_result(self) -> dict[str, Any]:
        """Returns the values of all metrics by name."""
        found = self.joint_loss.metrics()
        return {name: metric.result() for name, metric in found.items()}

    # === Steps ===

    def make_train_function(self, force: bool = False) -> Any:
        """Makes the function that `fit` runs; see `keras.Model`.

        Args:
            force: bool, whether to make it again. It is also made again where other
                variables learn than at the last time.

        Raises:
            ValueError: if nothing learns, or the model has changed since `compile`.
        """
        changed = learning_has_changed(self)
        return super().make_train_function(force or changed)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Makes one optimizer step on a packed batch; returns the logs."""
        return joint_training.train_step(self, self.batch_of(data))

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluates a packed batch; returns the logs."""
        return joint_training.test_step(self, self.batch_of(data))

    # === Saving ===

    def save_task_weights(self, filepath: str) -> None:
        """Saves the weights of the task layers alone.

        KerasHub's method adds the optimizer's state: Adam's is twice the whole model's
        size, and a preset is a model, not a run.

        Args:
            filepath: ends in `.weights.h5`.
        """
        keras.saving.save_weights(
            self, filepath, objects_to_skip=self._not_of_the_task()
        )

    def load_task_weights(self, filepath: str) -> None:
        """Loads what `save_task_weights` saved.

        Args:
            filepath: ends in `.weights.h5`.
        """
        with named_errors(filepath, filepath):
            keras.saving.load_weights(
                self, filepath, objects_to_skip=self._not_of_the_task()
            )

    def _not_of_the_task(self) -> list[Any]:
        return [*layer_parts.flatten_layers(self.backbone), self.optimizer]


def kept(**arguments: Any) -> Mapping[str, Any]:
    """Keeps the arguments of `compile`, but those that were left to the model."""
    given = {name: value for name, value in arguments.items() if not is_auto(value)}
    # No dict: Keras would take the metrics in it for the model's own.
    return MappingProxyType(given)
