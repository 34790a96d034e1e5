"""`finetune`: from labelled texts and a language model to a tested classifier.

Source: Chronopoulou et al. 2019, sections 3 and 4.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.atomic import new_folder
from siatl_keras.callbacks import BackupAndRestore
from siatl_keras.evaluation import LOSS, lower_is_better, plot_training
from siatl_keras.models import (
    SiATLClassifier,
    backbone_class,
    learn_word_scores,
    number_of_layers,
)
from siatl_keras.plans import Plan
from siatl_keras.presets.named_models import chosen_model
from siatl_keras.runs.adapt_language_model import (
    adapt_language_model,
    check_adaptable,
)
from siatl_keras.runs.counted_words import compare_with_words
from siatl_keras.runs.defaults import with_defaults
from siatl_keras.runs.evaluate import evaluate_classifier
from siatl_keras.runs.finetune_config import BASELINES, FinetuneConfig
from siatl_keras.runs.linear_baselines import fit_linear_baseline
from siatl_keras.runs.run_data import RunData
from siatl_keras.runs.run_folder import finish_run
from siatl_keras.tasks import Task

Config = TypeVar("Config", bound=FinetuneConfig)


def finetune(
    config: FinetuneConfig,
    strategy: tf.distribute.Strategy | None = None,
    verbose: int = 2,
) -> tuple[Any, dict[str, Any]]:
    """Fine-tunes a classifier with early stopping, and tests it.

    A run that was killed resumes where it was when it is started again with the same
    `output`, also after its last epoch. The folder gets TensorBoard logs, the model as
    a preset in `model`, the test report, a plot of the training, and, last of all, what
    is returned as `metrics.json`. Training that diverges ends with the last weights
    that were finite.

    Args:
        config: what to do.
        strategy: `tf.distribute.Strategy`; the default one if not given.
        verbose: as for `keras.Model.fit`.

    Returns:
        `(model, metrics)`: the `SiATLClassifier` with the best epoch's weights, and a
        dict with the best epoch, validation and test figures, and the history. With
        "bow" and "nbow" a scikit-learn pipeline that takes texts, and no history.

    Raises:
        ValueError: if a file or the preset cannot be read, or a setting is wrong for
            the method or the language model.
        TrainingDivergedError: if no epoch had a finite loss; nothing is saved then.
    """
    config = with_language_model(config)
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
    verbose: int = 2,
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
    config = with_defaults(config, data.train)
    plan = None if config.method in BASELINES else config.plan()
    folder = Path(config.output)
    # An earlier run's, which would call this one finished before it is.
    (folder / "metrics.json").unlink(missing_ok=True)
    metrics: dict[str, Any] = {
        "method": config.method,
        "task": config.task,
        "seed": config.seed,
        **figures,
    }
    if plan is None:
        model, found = fit_linear_baseline(config, data)
    else:
        model, found = _finetune(config, plan, data, folder, strategy, verbose)
    metrics |= found
    finish_run(folder, metrics)
    return model, metrics


def _finetune(
    config: FinetuneConfig,
    plan: Plan,
    data: RunData,
    folder: Path,
    strategy: tf.distribute.Strategy | None,
    verbose: int,
) -> tuple[SiATLClassifier, dict[str, Any]]:
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
    lesson, validation = data.lesson, data.validation
    keras.utils.set_random_seed(config.seed)
    with (strategy or tf.distribute.get_strategy()).scope():
        model = _new_model(config, plan, lm, data.task)
        steps = math.ceil(len(lesson) / config.batch_size)
        optimizer = plan.optimizer(model, steps)
        model.compile(optimizer, sampled_words=config.sampled_words)
    backup = BackupAndRestore(folder / "backup", delete_checkpoint=False)
    history = model.fit(
        lesson.texts,
        lesson.targets,
        batch_size=config.batch_size,
        validation_data=(validation.texts, validation.targets),
        class_weight=config.class_weight,
        epochs=plan.epochs,
        seed=config.seed,
        callbacks=plan.callbacks(folder / "tensorboard", backup),
        verbose=verbose,
    )
    held_out = data.targets(data.held_out)
    if config.word_scores:
        learn_word_scores(
            model,
            lesson.texts,
            lesson.targets,
            (data.held_out.texts, held_out),
            config.seed,
        )
    if model.task.tunes or not data.test:
        outputs = model.predict(data.held_out.texts, verbose=0)
        model.task = model.task.tuned_on(held_out, outputs)
    if config.word_scores and not config.validation:
        # Share and temperature are chosen: nothing is left to hold texts out for.
        learn_word_scores(
            model,
            [*lesson.texts, *validation.texts],
            np.concatenate([lesson.targets, validation.targets]),
            seed=config.seed,
        )
    with new_folder(folder / "model", overwrite=True) as preset:
        model.save_to_preset(str(preset))
    metrics |= _figures(history, plan.monitor)
    plot_training(metrics["history"], folder / "training.png")
    if data.test:
        report = evaluate_classifier(model, data.test, folder)
        metrics |= {"measures": list(report.measures), "test": report.to_dict()}
    else:
        report = model.task.report(held_out, outputs)
    metrics["counted_words"] = compare_with_words(config, data, report.measures)
    return model, metrics


def _new_model(
    config: FinetuneConfig, plan: Plan, lm: str, task: Task
) -> SiATLClassifier:
    model: SiATLClassifier = SiATLClassifier.from_preset(
        lm,
        load_weights=plan.pretrained,
        task=task,
        auxiliary_loss=plan.gamma is not None,
        perplexity=plan.depth == 1,
        word_scores=bool(config.word_scores),
        sequence_length=config.sequence_length,
        pairs=bool(config.pair_column),
        long_texts=config.long_texts,
        max_windows=config.max_windows,
        gradient_checkpointing=config.gradient_checkpointing,
        backbone_overrides=_backbone_arguments(config, plan, lm),
        **config.task_arguments(plan),
    )
    plan.prepare(model)
    return model


def _backbone_arguments(config: FinetuneConfig, plan: Plan, lm: str) -> dict[str, Any]:
    arguments: dict[str, Any] = config.backbone_arguments(backbone_class(lm))
    layers = number_of_layers(lm) if plan.depth < 1 else None
    if layers is not None:
        arguments["num_layers"] = max(1, math.ceil(layers * plan.depth))
    return arguments


def _figures(history: keras.callbacks.History, monitor: str) -> dict[str, Any]:
    """Returns what `metrics.json` says of the training."""
    epochs = as_epochs(history)
    best = min(epochs, key=lambda logs: _rank(logs[f"val_{monitor}"], monitor))
    return {
        "best_epoch": best["epoch"],
        "validation": {
            key.removeprefix("val_"): value
            for key, value in best.items()
            if key.startswith("val_")
        },
        "history": epochs,
    }


def _rank(value: float, monitor: str) -> float:
    if not math.isfinite(value):
        return math.inf
    return value if lower_is_better(monitor) else -value


def as_epochs(history: keras.callbacks.History) -> list[dict[str, Any]]:
    """Turns Keras's history into a dict per epoch, with `epoch` counted from 1.

    Args:
        history: what `fit` returned.
    """
    return [
        {
            "epoch": epoch + 1,
            **{name: float(values[row]) for name, values in history.history.items()},
        }
        for row, epoch in enumerate(history.epoch)
    ]
