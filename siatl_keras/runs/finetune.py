"""`finetune`: from labelled texts and a language model to a tested classifier.

Source: Chronopoulou et al. 2019, sections 3 and 4.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf

from siatl_keras.atomic import new_folder, write_text
from siatl_keras.evaluation import LOSS, AttentionMap, plot_training
from siatl_keras.extras import install_command, is_installed
from siatl_keras.inputs import LabelledTexts
from siatl_keras.models import SiATLClassifier, learn_word_scores
from siatl_keras.plans import Plan
from siatl_keras.presets.named_models import chosen_model
from siatl_keras.runs.adapt_language_model import (
    adapt_language_model,
    check_adaptable,
)
from siatl_keras.runs.counted_words import compare_with_words
from siatl_keras.runs.cross_validation import cross_validate
from siatl_keras.runs.defaults import with_defaults
from siatl_keras.runs.evaluate import Evaluation, evaluate_run
from siatl_keras.runs.explain import attention_in
from siatl_keras.runs.finetune_config import BASELINES, FinetuneConfig
from siatl_keras.runs.held_out_answers import HeldOutAnswers
from siatl_keras.runs.html_report import html_report
from siatl_keras.runs.linear_baselines import fit_linear_baseline
from siatl_keras.runs.model_card import NAME as CARD
from siatl_keras.runs.model_card import model_card
from siatl_keras.runs.next_steps import next_steps
from siatl_keras.runs.run_data import RunData
from siatl_keras.runs.run_folder import finish_run
from siatl_keras.runs.tensorboard_summary import summarize_for_tensorboard
from siatl_keras.runs.training import Training, best_epoch, free_models
from siatl_keras.runs.worker_output import worker_output

Config = TypeVar("Config", bound=FinetuneConfig)


def finetune(
    config: FinetuneConfig,
    strategy: tf.distribute.Strategy | None = None,
    verbose: int = 1,
) -> tuple[Any, dict[str, Any]]:
    """Fine-tunes a classifier with early stopping, and tests it.

    A run that was killed resumes where it was when it is started again with the same
    `output`, also after its last epoch. The folder gets TensorBoard logs, the model as
    a preset in `model`, the test report, a plot of the training, and, last of all, what
    is returned as `metrics.json`. Training that diverges ends with the last weights
    that were finite. Of several workers the chief alone writes.

    Args:
        config: what to do.
        strategy: `tf.distribute.Strategy`; the default one if not given.
        verbose: as for `keras.Model.fit`.

    Returns:
        `(model, metrics)`: the `SiATLClassifier` with the best epoch's weights, and a
        dict with the best epoch, validation and test figures, and the history. With
        "bow" and "nbow" a scikit-learn pipeline that takes texts, and no history.

    Raises:
        ValueError: if a file or the preset cannot be read, a setting is wrong for the
            method or the language model, or workers do not have the same.
        TrainingDivergedError: if no epoch had a finite loss; nothing is saved then.
    """
    config = with_language_model(config)
    with worker_output(config, strategy, verbose) as (config, verbose):
        return train_and_test(config, RunData.read(config), strategy, verbose)


def with_language_model(config: Config) -> Config:
    """Chooses the language model, and checks that the method can use it.

    Args:
        config: what to do.

    Raises:
        ValueError: if it cannot.
    """
    config = replace(config, lm=chosen_model(config.lm))
    if config.method == "ulmfit":
        check_adaptable(
            config.lm, config.method, config.lora_rank, config.gradient_checkpointing
        )
    return config


def train_and_test(
    config: FinetuneConfig,
    data: RunData,
    strategy: tf.distribute.Strategy | None = None,
    verbose: int = 1,
    **figures: Any,
) -> tuple[Any, dict[str, Any]]:
    """Does what `finetune` does with texts that have been read.

    Args:
        config: what to do, its language model chosen.
        data: the texts.
        strategy: as for `finetune`.
        verbose: as for `finetune`.
        **figures: what else goes into the metrics.

    Returns:
        as `finetune`.
    """
    folder = Path(config.output)
    _tell(data, folder, verbose)
    config = with_defaults(config, data.train)
    plan = None if config.method in BASELINES else config.plan()
    # An earlier run's, which would call this one finished before it is.
    (folder / "metrics.json").unlink(missing_ok=True)
    metrics: dict[str, Any] = {
        "method": config.method,
        "task": config.task,
        "seed": config.seed,
        "data": data.report.to_dict() if data.report else {},
        **figures,
    }
    if plan is None:
        model, found, evaluation = fit_linear_baseline(config, data)
        attention: list[AttentionMap] = []
    else:
        model, found, evaluation = _finetune(
            config, plan, data, folder, strategy, verbose
        )
        attention = attention_in(model, evaluation)
    metrics |= found
    metrics["next_steps"] = next_steps(config, data, metrics)
    if plan is not None:
        card = model_card(config, data.report, evaluation, metrics)
        write_text(folder / "model" / CARD, card)
    page = html_report(config, data.report, evaluation, metrics, attention)
    write_text(folder / "report.html", page)
    summarize_for_tensorboard(folder, config, evaluation, data.judged_by)
    finish_run(folder, metrics)
    return model, metrics


def _tell(data: RunData, folder: Path, verbose: int) -> None:
    """Says what the texts are, and writes it down."""
    text = data.report.to_text() if data.report else ""
    if data.chosen_columns:
        text = f"{data.chosen_columns}\n{text}"
    dropped = folder / "dropped_rows.tsv"
    dropped.unlink(missing_ok=True)  # An earlier run's.
    if data.dropped.errors:
        write_text(dropped, data.dropped.to_text())
        text += f"rows left out: {len(data.dropped.errors):,}, see dropped_rows.tsv\n"
    path = folder / "data.txt"
    # A run that goes on has it already, and its disk may be full.
    if not path.exists() or path.read_text("utf-8") != text:
        write_text(path, text)
    if verbose:
        print(text, end="", flush=True)
        if not is_installed("matplotlib"):
            command = install_command("matplotlib")
            print(f"no pictures: matplotlib is not installed, {command}", flush=True)


def _finetune(
    config: FinetuneConfig,
    plan: Plan,
    data: RunData,
    folder: Path,
    strategy: tf.distribute.Strategy | None,
    verbose: int,
) -> tuple[SiATLClassifier, dict[str, Any], Evaluation]:
    metrics: dict[str, Any] = {}
    lm = config.lm
    if plan.monitor not in data.task.measured:
        plan = replace(plan, monitor=LOSS)
    if plan.language_model:
        adapted = folder / "backup" / "language_model"
        metrics["language_model"] = adapt_language_model(
            data.as_files(config, folder / "backup" / "texts"),
            plan.language_model,
            adapted,
            strategy,
            verbose,
        )
        lm = str(adapted)
    training = Training(config, plan, lm, data.task, strategy, verbose)
    fit = _fit_after_folds if data.folds else _fit
    model, outputs, figures = fit(training, data)
    metrics |= figures
    with new_folder(folder / "model", overwrite=True) as preset:
        model.save_to_preset(str(preset))
    if is_installed("matplotlib"):
        picture = folder / "training.png"
        plot_training(metrics["history"], picture, metrics["best_epoch"])
    if data.test:
        outputs = model.predict(data.test.texts, verbose=0)
    evaluation = evaluate_run(data, model.task, outputs, folder)
    metrics |= evaluation.figures(data.judged_by)
    metrics["counted_words"] = compare_with_words(
        config, data, evaluation.report.measures
    )
    return model, metrics, evaluation


def _fit(
    training: Training, data: RunData
) -> tuple[SiATLClassifier, np.ndarray, dict[str, Any]]:
    """Fits on the texts that are not held out, and tunes the answers on those that are.

    Returns:
        `(model, outputs, figures)`: the outputs are those for the held-out texts, the
        figures what `metrics.json` says of the training.
    """
    config = training.config
    model, history = training.fit(data.lesson, data.validation)
    texts, targets = data.held_out.texts, data.targets(data.held_out)
    # Words learn from labels, not from a teacher's answers.
    labelled = LabelledTexts(data.train.texts, data.targets(data.train), None)
    answers = HeldOutAnswers.of(model, labelled, texts, config.seed)
    outputs = answers.tune(model, targets)
    if config.word_scores and not config.validation:
        # Share and temperature are chosen: nothing is left to hold texts out for.
        learn_word_scores(
            model,
            [*labelled.texts, *texts],
            np.concatenate([labelled.targets, targets]),
            seed=config.seed,
        )
    best = best_epoch(history, training.plan.monitor)
    return model, outputs, _figures(history, best)


def _fit_after_folds(
    training: Training, data: RunData
) -> tuple[SiATLClassifier, np.ndarray, dict[str, Any]]:
    """Fits on all texts as long, and tunes the answers, as was best over the folds.

    Returns:
        as `_fit`; the validation figures are means over the folds.
    """
    config, lesson = training.config, data.lesson
    found = cross_validate(training, data.folds)
    best = found.best_epoch
    if training.verbose:
        print(f"Epoch {best} is the best of the folds; now on all {len(lesson)} texts")
    free_models()
    model, history = training.fit(lesson, None, epochs=best)
    if config.word_scores:
        learn_word_scores(model, lesson.texts, lesson.targets, seed=config.seed)
    outputs = found.answers.tune(model, data.targets(data.held_out))
    # A run that diverged may have fewer epochs than the folds.
    pairs = zip(history, found.validation, strict=False)
    merged = [logs | means for logs, means in pairs]
    return model, outputs, _figures(merged, len(merged)) | {"folds": found.folds}


def _figures(history: list[dict[str, Any]], epoch: int) -> dict[str, Any]:
    """Returns what `metrics.json` says of the training, whose best epoch it was."""
    best = history[epoch - 1]
    validation = {
        key.removeprefix("val_"): value
        for key, value in best.items()
        if key.startswith("val_")
    }
    return {"best_epoch": epoch, "validation": validation, "history": history}
