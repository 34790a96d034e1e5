"""`TrainingCurves`: what training logs, as curves in TensorBoard's sections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from siatl_keras.callbacks.main_measure import main_measure

# TensorBoard sorts its sections by name, and so do the cards within one.
TASK, LANGUAGE_MODEL, SCHEDULE = "1 task", "2 language model", "3 schedule"


class TrainingCurves(keras.callbacks.Callback):
    """Writes each figure of each epoch once, for TensorBoard.

    The section of the task comes first, in it the main measure and the task's loss;
    then the language model's loss and perplexity; then γ, stage and learning rates.
    Training and validation are two curves in one card. Epochs count from 1, as on the
    console.

    Keras's `TensorBoard` can be had beside it, in another folder: it writes the graph,
    weight histograms and profiles too.

    Args:
        folder: where `train` and `validation` go. A run that goes on adds to what is
            there.

    Example:
    >>> import os, tempfile
    >>> inputs = keras.Input((1,))
    >>> model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    >>> model.compile("sgd", "mse")
    >>> folder, x = tempfile.mkdtemp(), keras.ops.ones((2, 1))
    >>> history = model.fit(x, x, callbacks=[TrainingCurves(folder)], verbose=0)
    >>> os.listdir(folder)
    ['train']
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self._folder = Path(folder)
        self._writers: dict[str, Any] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the epoch's figures."""
        if not logs or not self._is_chief:
            return
        main = main_measure(self.model, logs)
        for name, value in logs.items():
            figure = name.removeprefix("val_")
            writer = self._writer("train" if figure == name else "validation")
            tag = _tag(figure, main, logs)
            with writer.as_default(step=epoch + 1):
                if keras.ops.ndim(value):
                    for index, each in enumerate(keras.ops.convert_to_numpy(value)):
                        tf.summary.scalar(f"{tag} {index}", each)
                else:
                    tf.summary.scalar(tag, float(value))
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Closes the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    @property
    def _is_chief(self) -> bool:
        return bool(self.model.distribute_strategy.extended.should_save_summary)

    def _writer(self, name: str) -> Any:
        if name not in self._writers:
            path = str(self._folder / name)
            self._writers[name] = tf.summary.create_file_writer(path)
        return self._writers[name]


def _tag(name: str, main: str | None, logs: dict[str, Any]) -> str:
    """Names a figure's card, with its section before it."""
    # On sampled words its training logs no perplexity, and its validation does.
    is_language_model = "task_loss" not in logs and any(
        other.endswith("perplexity") for other in logs
    )
    if name in ("gamma", "stage") or name.startswith("learning_rate"):
        return f"{SCHEDULE}/{name.replace('_', ' ').replace('/', ' ')}"
    if is_language_model or name.startswith("lm_") or name == "perplexity":
        return f"{LANGUAGE_MODEL}/{name.removeprefix('lm_')}"
    if name == main:
        return f"{TASK}/1 {main}"
    if name == "task_loss" or (name == "loss" and "task_loss" not in logs):
        return f"{TASK}/2 loss"
    return f"{TASK}/{'total loss' if name == 'loss' else name}"
