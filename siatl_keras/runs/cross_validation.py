"""`cross_validate`: a run's choices, made on all of its texts in turn.

One part of few texts is a poor judge; each of the parts in turn judges a model of all
others, and their answers together are as many as there are texts.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from siatl_keras.atomic import new_file
from siatl_keras.runs.held_out_answers import HeldOutAnswers
from siatl_keras.runs.run_data import RunData
from siatl_keras.runs.training import Training, free_models


def cross_validate(
    training: Training, folds: Sequence[RunData]
) -> tuple[HeldOutAnswers, list[list[dict[str, Any]]]]:
    """Trains a classifier on each fold, one after the other.

    What a fold has given is kept in the run's backup: a run that was stopped goes on in
    the fold where it was.

    Args:
        training: how.
        folds: the texts of each.

    Returns:
        `(answers, histories)`: what each of the classifiers, in its best epoch, says of
        the texts held out of it, fold by fold, and their histories.
    """
    parts, histories = [], []
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
            parts.append((saved["outputs"], saved.get("words")))
            histories.append(json.loads(str(saved["history"])))
    outputs, words = zip(*parts, strict=True)
    has_words = words[0] is not None
    answers = HeldOutAnswers(
        np.concatenate(outputs), np.concatenate(words) if has_words else None
    )
    return answers, histories


def _train(training: Training, fold: RunData, name: str, path: Path) -> None:
    free_models()
    model, history = training.fit(fold.lesson, fold.validation, name)
    answers = HeldOutAnswers.of(
        model, fold.lesson, fold.held_out.texts, training.config.seed
    )
    arrays: dict[str, Any] = {
        "outputs": answers.outputs,
        "history": json.dumps(history),
    }
    if answers.words is not None:
        arrays["words"] = answers.words
    with new_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)


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
