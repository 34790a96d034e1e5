"""`BackupAndRestore`: resumes killed training as if nothing had happened.

Keras's callback of this name keeps weights, optimizer and epoch; this one also keeps
what the stages, early stopping, the history and random numbers depend on.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from siatl_keras.callbacks.training_state import (
    epochs_in_backup,
    load_training_state,
    restore_weights,
    save_training_state,
)
from siatl_keras.compat import trainer
from siatl_keras.workers import gather, is_chief


class TrainingDivergedError(ValueError):
    """Training whose loss or weights stopped being finite before an epoch was done."""


class BackupAndRestore(keras.callbacks.Callback):
    """Backs up after every epoch, and resumes when `fit` finds a backup.

    A backup holds the weights, γ among them, the optimizer with its moments, also one
    that a stage brought, the epoch, the history, the state of `EarlyStopping` with its
    best weights, of `ReduceLROnPlateau`, of `ModelCheckpoint` and of this package's
    callbacks, and random numbers: those of layers, which draw from a
    `keras.random.SeedGenerator` of their own, of Python and of numpy. The resumed run
    repeats the epoch that was cut off. Its history and weights equal those of a run
    that was never killed, if the data's order depends on a seed and the epoch alone
    (see `siatl_keras.data.EpochCounter` and `SetEpoch`).

    A backup replaces the one before it in one step: a kill in between leaves the old
    one whole. The model is built and compiled as in the run that was killed, the
    optimizer built on the weights of all stages, as `SiATLClassifier` does. The `fit`
    of this package's models calls it last, wherever it stands among the callbacks; for
    other Keras models, see `in_order`.

    Training that diverges ends: after an epoch whose loss, validation loss or weights
    are not finite, the model gets the weights back that it had after the epoch before.

    Args:
        backup_dir: path of a directory, made if absent, of this run alone.
        delete_checkpoint: bool, whether to remove the backup when training ends.
        shared: bool, whether the workers of a `MultiWorkerMirroredStrategy` have one
            directory, where the chief alone writes; `False` where each has its own.

    Raises:
        ValueError: if the backup is broken or of another model, or workers do not find
            the same one.
        TrainingDivergedError: if the first epoch diverges.

    Example:
    >>> import tempfile
    >>> callback = BackupAndRestore(tempfile.mkdtemp())
    """

    def __init__(
        self,
        backup_dir: str | Path,
        delete_checkpoint: bool = True,
        shared: bool = True,
    ) -> None:
        super().__init__()
        if not isinstance(backup_dir, (str, os.PathLike)) or not str(backup_dir):
            raise ValueError(
                "`backup_dir` must be the path of a directory. Received: "
                f"{backup_dir!r}."
            )
        self.backup_dir = Path(backup_dir)
        self.delete_checkpoint = delete_checkpoint
        self.shared = shared
        self._callbacks: list[keras.callbacks.Callback] | None = None

    @property
    def path(self) -> Path:
        """The file of the backup."""
        return self.backup_dir / "backup.npz"

    @property
    def epochs_done(self) -> int:
        """The epochs that the backup has behind it, 0 without one.

        A dataset that goes on over the epochs, as with `steps_per_epoch`, must skip
        what they have read.
        """
        return epochs_in_backup(self.path) if self.path.exists() else 0

    def meet(self, callbacks: list[keras.callbacks.Callback]) -> None:
        """Takes the other callbacks of the run, see `in_order`."""
        self._callbacks = callbacks

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Restores the backup, if there is one."""
        if not self.model.built:
            raise ValueError(
                "`BackupAndRestore` needs a model that is built before `fit`. Call it "
                "on a batch of data first."
            )
        if self._callbacks is None:
            raise ValueError(
                "`BackupAndRestore` keeps the state of the other callbacks too, and "
                f"{type(self.model).__name__}.fit does not tell it which there are. "
                "Pass `callbacks=siatl_keras.callbacks.in_order([...])`."
            )
        self._compare_workers()
        if not self.path.exists():
            return
        epoch, stopped = load_training_state(self.path, self.model, self._callbacks)
        if self._is_chief():
            print(f"Resuming after epoch {epoch} from {self.path}")
        # A run that early stopping had ended has no further epoch.
        first = max(self.params.get("epochs", epoch), epoch) if stopped else epoch
        trainer.set_initial_epoch(self.model, first)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Resets the first epoch, which Keras would keep for the next `fit`."""
        trainer.set_initial_epoch(self.model, 0)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Makes a backup; ends training that has diverged."""
        broken = _not_finite(self.model, logs or {})
        if broken:
            self._take_back(epoch, broken)
        if self._writes():
            self.backup_dir.mkdir(parents=True, exist_ok=True)
            callbacks = self._callbacks or []
            save_training_state(self.path, self.model, callbacks, epoch + 1)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Removes the backup."""
        trainer.set_initial_epoch(self.model, 0)
        if self.delete_checkpoint and self._writes():
            self.path.unlink(missing_ok=True)
            if self.backup_dir.exists() and not any(self.backup_dir.iterdir()):
                self.backup_dir.rmdir()

    def _take_back(self, epoch: int, broken: str) -> None:
        if not self.path.exists():
            raise TrainingDivergedError(
                f"Training diverged in epoch {epoch + 1}, the first: {broken}. Nothing "
                "was saved. Lower the learning rates or `clipnorm`, and look for "
                "extreme values among the arguments."
            )
        restore_weights(self.path, self.model)
        self.model.stop_training = True
        if self._is_chief():
            print(
                f"Training diverged in epoch {epoch + 1}: {broken}. It ends with the "
                f"weights of epoch {self.epochs_done}."
            )

    def _compare_workers(self) -> None:
        found = gather(self.model.distribute_strategy, [self.epochs_done])
        epochs = [worker[0] for worker in found]
        if len(set(epochs)) > 1:
            raise ValueError(
                f"`backup_dir` {self.backup_dir} must be the same folder for all "
                f"workers, on a disk that they share. They have {epochs} epochs done "
                "in it, the chief first."
            )

    def _is_chief(self) -> bool:
        return is_chief(self.model.distribute_strategy)

    def _writes(self) -> bool:
        return not self.shared or self._is_chief()


def _not_finite(model: keras.Model, logs: dict[str, Any]) -> str:
    """Names what is not finite after an epoch; "" if all is."""
    # Others may be absent from an epoch and then be NaN, or overflow: perplexities do.
    for name in ("loss", "val_loss"):
        if not np.isfinite(logs.get(name, 0.0)):
            return f"`{name}` is {float(logs[name])}"
    for variable in model.variables:
        is_float = keras.backend.is_float_dtype(variable.dtype)
        if is_float and not keras.ops.all(keras.ops.isfinite(variable)):
            return f"the weight {variable.path} is not finite"
    return ""
