"""`cross_validate`: a run's choices, made on all of its texts in turn.

One part of few texts is a poor judge; each of the parts in turn judges a model of all
others, and their answers together are as many as there are texts.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from siatl_keras.atomic import new_file
from siatl_keras.runs.held_out_answers import HeldOutAnswers, word_answers
from siatl_keras.runs.run_data import RunData
from siatl_keras.runs.training import Training, best_epoch, free_models


@dataclass(frozen=True)
class CrossValidation:
    """What the folds of a run have found.

    Attributes:
        best_epoch: int, from 1, the best on average.
        answers: what the classifier of each fold says, after that epoch, of the texts
            held out of it, fold by fold.
        validation: means over the folds of what was measured on these texts, a dict for
            each epoch that all of them have reached.
        folds: the logs of that epoch in each fold.
    """

    best_epoch: int
    answers: HeldOutAnswers
    validation: list[dict[str, float]]
    folds: list[dict[str, Any]]


def cross_validate(training: Training, folds: Sequence[RunData]) -> CrossValidation:
    """Trains a classifier on each fold, one after the other.

    What a fold has given is kept in the run's backup: a run that was stopped goes on in
    the fold where it was.

    Args:
        training: how.
        folds: the texts of each.
    """
    outputs, words, histories = [], [], []
    for number, fold in enumerate(folds, start=1):
        name = f"fold_{number}"
        path = Path(training.config.output) / "backup" / f"{name}.npz"
        if not path.exists():
            if training.verbose:
                kept, held_out = len(fold.lesson), len(fold.held_out.texts)
                print(
                    f"Fold {number} of {len(folds)}: {kept} texts to learn from, "
                    f"{held_out} held out",
                    flush=True,
                )
            _train(training, fold, name, path)
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)
        with np.load(path) as saved:
            outputs.append(saved["outputs"])
            if "words" in saved:
                words.append(saved["words"])
            histories.append(json.loads(str(saved["history"])))
    validation = mean_validation(histories)
    best = best_epoch(validation, training.plan.monitor)
    answers = HeldOutAnswers(
        np.concatenate([by_epoch[best - 1] for by_epoch in outputs]),
        np.concatenate(words) if words else None,
    )
    of_best = [history[best - 1] for history in histories]
    return CrossValidation(best, answers, validation, of_best)


def _train(training: Training, fold: RunData, name: str, path: Path) -> None:
    free_models()
    held_out = fold.held_out.texts
    answers = _AnswersByEpoch(held_out)
    model, history = training.fit(
        fold.lesson, fold.validation, name, callbacks=[answers]
    )
    arrays: dict[str, Any] = {
        "outputs": np.stack(answers.outputs),
        "history": json.dumps(history),
    }
    words = word_answers(model, fold.lesson, held_out, training.config.seed)
    if words is not None:
        arrays["words"] = words
    with new_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


class _AnswersByEpoch(keras.callbacks.Callback):
    """Keeps what the model says of held-out texts after each epoch.

    Which epoch counts is known when all folds are done.
    """

    def __init__(self, texts: list[Any]) -> None:
        super().__init__()
        self.texts = texts
        self.outputs: list[np.ndarray] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.outputs.append(self.model.predict(self.texts, verbose=0))

    def arrays_for_backup(self) -> list[np.ndarray]:
        return self.outputs

    def restore_arrays(self, arrays: Sequence[np.ndarray]) -> None:
        self.outputs = list(arrays)


def mean_validation(
    histories: Sequence[Sequence[dict[str, Any]]],
) -> list[dict[str, float]]:
    """Averages what was measured on the held-out texts, epoch by epoch.

    Args:
        histories: of the folds, a dict per epoch.

    Returns:
        a dict per epoch that all of them have reached.
    """
    return [
        {
            name: float(np.mean([logs[name] for logs in epoch]))
            for name in epoch[0]
            if name.startswith("val_")
        }
        for epoch in zip(*histories, strict=False)
    ]
