"""`SequentialUnfreezing`: lets a pretrained model's layers learn stage by stage.

Source: Chronopoulou et al. 2019, section 3, "sequential unfreezing".
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from siatl_keras.arguments import check_whole
from siatl_keras.training.layers_learning import layers_learning, stage_of


class SequentialUnfreezing(keras.callbacks.Callback):
    """Thaws the backbone, then the embedding, at given epochs; logs `stage`.

    What learns depends on the epoch alone, so a resumed run, or one with
    `initial_epoch`, goes on in the right stage. The optimizer keeps the state of what
    already learned, unless the stage names an optimizer of its own. The last stage is
    left as it is when training ends. List callbacks that read the logs, such as
    `TensorBoard`, after it.

    The model has `layer_groups`, a dict of "task", "backbone" and "embedding" with
    their layers, and its optimizer must have been built on the weights of all of them,
    as `SiATLClassifier.compile` does.

    Args:
        backbone_epoch: int, the paper's n: epoch, counted from 1, from which the
            backbone learns (stage 2); `None` for never.
        embedding_epoch: int, the paper's k: epoch from which the embedding learns too
            (stage 3); `None` for never.
        optimizers: dict of stage (2 or 3) to the optimizer, or its name, that the
            model is recompiled with when the stage begins; its state starts empty.
        layers_per_epoch: int, how many more of the backbone's layers learn in each
            epoch of stage 2, from the top; `None` for all at once.
        verbose: int, 1 to print a line when layers begin to learn, 0 for silence.

    Raises:
        ValueError: if an argument is out of range, the stages are out of order, or
            the model has no such groups.

    Example:
    >>> unfreezing = SequentialUnfreezing(backbone_epoch=2, embedding_epoch=5)
    >>> [unfreezing.stage(epoch) for epoch in (1, 2, 4, 5)]
    [1, 2, 2, 3]
    """

    def __init__(
        self,
        backbone_epoch: int | None = 2,
        embedding_epoch: int | None = 5,
        optimizers: Mapping[int, Any] | None = None,
        layers_per_epoch: int | None = None,
        verbose: int = 1,
    ) -> None:
        super().__init__()
        _check_epochs(backbone_epoch, embedding_epoch)
        if optimizers is not None and not isinstance(optimizers, Mapping):
            raise ValueError(
                "`optimizers` must be a dict of stage to optimizer. Received: "
                f"optimizers={optimizers!r}."
            )
        optimizers = dict(optimizers or {})
        if set(optimizers) - {2, 3}:
            raise ValueError(
                "`optimizers` names optimizers for the stages 2 and 3; stage 1 has the "
                f"one of `compile`. Received: stages {list(optimizers)}."
            )
        for optimizer in optimizers.values():
            _check_optimizer(optimizer)
        if layers_per_epoch is not None:
            check_whole(1, layers_per_epoch=layers_per_epoch)
        self.backbone_epoch = backbone_epoch
        self.embedding_epoch = embedding_epoch
        self.optimizers = optimizers
        self.layers_per_epoch = layers_per_epoch
        self.verbose = verbose
        self._stage_with_optimizer = 1
        self._began = False
        self._epochs_run = 0

    def stage(self, epoch: int) -> int:
        """Returns the stage, 1 to 3, of an epoch counted from 1."""
        return stage_of(epoch, self.backbone_epoch, self.embedding_epoch)

    def state_for_backup(self) -> dict[str, Any]:
        """Returns the stage whose optimizer the model has."""
        return {"stage_with_optimizer": self._stage_with_optimizer}

    def restore_from_backup(self, state: dict[str, Any]) -> None:
        """Gives the model the optimizer that it had when the backup was made."""
        self._set_optimizer(state["stage_with_optimizer"])

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Checks the model."""
        groups = getattr(self.model, "layer_groups", None)
        if groups is None or set(groups) != {"task", "backbone", "embedding"}:
            raise ValueError(
                "`SequentialUnfreezing` needs a model whose `layer_groups` is a dict "
                'of the layers of "task", "backbone" and "embedding", as '
                f"`SiATLClassifier` has it. Received: {type(self.model).__name__} with "
                f"layer_groups={None if groups is None else list(groups)}."
            )
        if self.optimizers and not hasattr(self.model, "recompile"):
            raise ValueError(
                "`optimizers` needs a model with a method `recompile(optimizer)`, as "
                f"`SiATLClassifier` has it. Received: {type(self.model).__name__}."
            )
        self._stage_with_optimizer = 1
        self._began = False
        self._epochs_run = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Thaws and freezes what the epoch asks for."""
        groups = _with_weights(self.model.layer_groups)
        learning = layers_learning(
            groups,
            epoch + 1,
            self.backbone_epoch,
            self.embedding_epoch,
            self.layers_per_epoch,
        )
        thawed = {
            name: [layer for layer in learning[name] if not layer.trainable]
            for name in groups
        }
        changed = _set_trainable(groups, learning)
        self._set_optimizer(self.stage(epoch + 1))
        if changed or not self._began:
            # A graph traced before knows nothing of the new flags, and one may have
            # been traced in an earlier `fit`.
            self.model.make_train_function(force=True)
        if self._began or epoch > 0:
            self._report(epoch, thawed)
        self._began = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Logs the stage."""
        self._epochs_run = epoch + 1
        if logs is not None:
            logs["stage"] = self.stage(epoch + 1)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Warns if training was stopped before the last stage began."""
        last = self.embedding_epoch or self.backbone_epoch
        epochs = self._epochs_run
        if self.model.stop_training and last is not None and epochs < last:
            warnings.warn(
                f"Training was stopped after epoch {epochs}, in stage "
                f"{self.stage(epochs)}: stage {self.stage(last)}, which begins with "
                f"epoch {last}, never came. Let the stages begin earlier, or early "
                "stopping have more patience.",
                stacklevel=2,
            )

    def _set_optimizer(self, stage: int) -> None:
        """Recompiles if a stage up to this one brings an optimizer not yet in place."""
        due = [s for s in self.optimizers if self._stage_with_optimizer < s <= stage]
        if due:
            self._stage_with_optimizer = max(due)
            self.model.recompile(self.optimizers[max(due)])

    def _report(self, epoch: int, thawed: dict[str, list[Any]]) -> None:
        chief = self.model.distribute_strategy.extended.should_save_summary
        if not self.verbose or not chief or not any(thawed.values()):
            return
        parts = []
        for name, layers in thawed.items():
            if layers:
                sizes = [np.prod(w.shape) for x in layers for w in x.trainable_weights]
                parts.append(
                    f"{name} ({len(layers)} layer{'s' * (len(layers) > 1)}, "
                    f"{int(sum(sizes)):,} weights)"
                )
        stage = self.stage(epoch + 1)
        print(f"Epoch {epoch + 1}, stage {stage}: now learning {' and '.join(parts)}")


def _with_weights(groups: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Leaves out layers, such as dropouts, that have nothing to learn."""
    return {
        name: [layer for layer in layers if layer.weights]
        for name, layers in groups.items()
    }


def _set_trainable(
    groups: dict[str, list[Any]], learning: dict[str, list[Any]]
) -> bool:
    """Sets every layer's flag; tells whether one changed."""
    changed = False
    for name, layers in groups.items():
        wanted = {id(layer) for layer in learning[name]}
        for layer in layers:
            if layer.trainable != (id(layer) in wanted):
                layer.trainable = id(layer) in wanted
                changed = True
    return changed


def _check_optimizer(optimizer: Any) -> None:
    try:
        keras.optimizers.get(optimizer)
    except ValueError as error:
        raise ValueError(
            "`optimizers` must hold Keras optimizers or their names. Received: "
            f"{optimizer!r}."
        ) from error


def _check_epochs(backbone_epoch: int | None, embedding_epoch: int | None) -> None:
    for name, epoch in (
        ("backbone_epoch", backbone_epoch),
        ("embedding_epoch", embedding_epoch),
    ):
        if epoch is not None:
            check_whole(1, **{name: epoch})
    if embedding_epoch is not None and (
        backbone_epoch is None or backbone_epoch > embedding_epoch
    ):
        raise ValueError(
            "`backbone_epoch` must not come after `embedding_epoch`: layers thaw from "
            f"the top. Received: backbone_epoch={backbone_epoch}, "
            f"embedding_epoch={embedding_epoch}."
        )
