"""`finetune`: from labelled texts and a language model to a tested classifier.

Source: Chronopoulou et al. 2019, sections 3 and 4; the defaults are the authors'
settings for their sarcasm data, but for the rate of what was pretrained. Those for
ULMFiT's language model are Howard & Ruder's (2018, section 4.1).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from siatl_keras.atomic import new_folder
from siatl_keras.callbacks import (
    BackupAndRestore,
    GammaDecay,
    GroupLearningRates,
    SequentialUnfreezing,
    WeightAveraging,
)
from siatl_keras.data import LabelMap, read_examples
from siatl_keras.evaluation import plot_training
from siatl_keras.models import SiATLClassifier, suited_optimizer
from siatl_keras.run_folder import finish_run
from siatl_keras.workflows.adapt_language_model import (
    adapt_language_model,
    check_adaptable,
)
from siatl_keras.workflows.evaluate import evaluate_classifier
from siatl_keras.workflows.linear_baselines import fit_linear_baseline
from siatl_keras.workflows.methods import METHODS
from siatl_keras.workflows.stages import Stages, optimizer_of, stages_of


def finetune(
    train: str,
    validation: str,
    test: str,
    lm: str,
    output: str,
    *,
    method: str = "siatl",
    text_column: str = "text",
    label_column: str = "label",
    epochs: int = 30,
    patience: int = 6,
    batch_size: int = 32,
    sequence_length: int = 80,
    gamma_initial: float = 0.2,
    gamma_final: float = 0.1,
    gamma_epochs: int = 15,
    backbone_epoch: int = 2,
    embedding_epoch: int = 5,
    task_learning_rate: float = 5e-4,
    pretrained_learning_rate: float | None = None,
    pretrained_optimizer: str | None = None,
    clipnorm: float = 1.0,
    schedule: str | None = None,
    average_momentum: float | None = None,
    lm_epochs: int = 15,
    lm_learning_rate: float = 4e-3,
    class_weight: str | None = None,
    task_layers: dict[str, Any] | None = None,
    backbone: dict[str, Any] | None = None,
    sampled_words: int | None = None,
    lora_rank: int | None = None,
    gradient_checkpointing: bool = False,
    layers_per_epoch: int | None = None,
    stage_optimizers: dict[int, str] | None = None,
    seed: int = 0,
    strategy: tf.distribute.Strategy | None = None,
    verbose: int = 2,
) -> tuple[Any, dict[str, Any]]:
    """Fine-tunes a classifier with early stopping, and tests it.

    A run that was killed goes on where it was when it is started again with the same
    `output`, also after its last epoch. The folder gets TensorBoard logs, the model as
    a preset in `model`, the test report, a plot of the training, and, last of all, what
    is returned as `metrics.json`. Training that diverges ends with the last weights
    that were finite.

    Args:
        train: file of labelled texts, see `siatl_keras.data.read_examples`.
        validation: file for early stopping.
        test: file for the report; "" for none.
        lm: preset of the language model.
        output: folder of the run.
        method: a key of `METHODS`. "bow" and "nbow" fine-tune nothing, and of what
            follows use the columns, `class_weight` and `sequence_length` alone.
        text_column: name of the column with the text.
        label_column: name of the column with the label.
        epochs: int, most epochs.
        patience: int, epochs without a lower validation task loss before stopping.
        batch_size: int, texts a step, over all replicas.
        sequence_length: int, most tokens kept of a text.
        gamma_initial: float, γ in the first epoch.
        gamma_final: float, γ from epoch `gamma_epochs` on.
        gamma_epochs: int.
        backbone_epoch: int, the paper's n, counted from 1.
        embedding_epoch: int, the paper's k.
        task_learning_rate: float, Adam's, for the new layers, and for all of "scratch"
            and "last-token"; the rates of "ulmfit" follow from it.
        pretrained_learning_rate: float, for the pretrained layers; that of
            `PRETRAINED_RATES` if not given.
        pretrained_optimizer: theirs, "sgd" or "adam"; `suited_optimizer` chooses if not
            given.
        clipnorm: float, norm that the gradient of each optimizer is clipped to.
        schedule: a key of `SCHEDULES`; the method's own if not given. The rates are
            then the highest; a schedule ends with the last of `epochs`.
        average_momentum: float, see `WeightAveraging`; no averaging if not given.
        lm_epochs: int, epochs of training the language model on the task's texts
            first, for the methods that do.
        lm_learning_rate: float, highest rate of the language model's top layer in it.
        class_weight: "balanced" to weight classes by their rarity.
        task_layers: arguments of `SiATLClassifier` for the task layers, but for those
            that the method fixes.
        backbone: arguments that override the preset's, such as dropouts.
        sampled_words: int, words that estimate the LM loss in training, see
            `SiATLClassifier.compile`; all if not given.
        lora_rank: int, rank of the adapters that learn in place of the backbone's
            weights; none if not given.
        gradient_checkpointing: see `SiATLClassifier`.
        layers_per_epoch: int, see `SequentialUnfreezing`.
        stage_optimizers: see `SequentialUnfreezing(optimizers=)`.
        seed: int, of weights, dropout and shuffling.
        strategy: `tf.distribute.Strategy`; the default one if not given.
        verbose: as for `keras.Model.fit`.

    Returns:
        `(model, metrics)`: the `SiATLClassifier` with the best epoch's weights, and a
        dict with the best epoch, validation and test figures, and the history. With
        "bow" and "nbow" a scikit-learn pipeline that takes texts, and no history.

    Raises:
        ValueError: if a file or the preset cannot be read, `method` is unknown or not
            for this language model, or γ is no positive number.
        TrainingDivergedError: if no epoch had a finite loss; nothing is saved then.
    """
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {list(METHODS)}. Received: {method}")
    row = METHODS[method]
    gamma_decay = GammaDecay(gamma_initial, gamma_final, gamma_epochs)
    if row.adapts_language_model:
        check_adaptable(lm, method, lora_rank, gradient_checkpointing)
    examples = read_examples(train, text_column, label_column)
    label_map = LabelMap.from_examples(examples)
    held_out = read_examples(validation, text_column, label_column)
    held_out_labels = label_map.encode(held_out)
    tested = read_examples(test, text_column, label_column) if test else None
    if tested:
        label_map.encode(tested)  # Raises now rather than after the training.

    folder = Path(output)
    # An earlier run's, which would call this one finished before it is.
    (folder / "metrics.json").unlink(missing_ok=True)
    metrics: dict[str, Any] = {"method": method, "seed": seed}
    if row.features:
        fitted, figures = fit_linear_baseline(
            row.features,
            examples,
            held_out,
            tested,
            label_map,
            lm,
            folder,
            sequence_length=sequence_length,
            class_weight=class_weight,
        )
        metrics |= figures
        finish_run(folder, metrics)
        return fitted, metrics

    schedule = schedule or row.schedule
    adapted = folder / "backup" / "language_model"
    if row.adapts_language_model:
        metrics["language_model"] = adapt_language_model(
            train,
            validation,
            lm,
            adapted,
            folder / "tensorboard" / "language_model",
            text_column=text_column,
            epochs=lm_epochs,
            batch_size=batch_size,
            sequence_length=sequence_length,
            learning_rate=lm_learning_rate,
            rate_divisor=row.rate_divisor or 1.0,
            schedule=schedule,
            clipnorm=clipnorm,
            sampled_words=sampled_words,
            backbone=backbone,
            seed=seed,
            strategy=strategy,
            verbose=verbose,
        )
        lm = str(adapted)

    keras.utils.set_random_seed(seed)
    with (strategy or tf.distribute.get_strategy()).scope():
        model = SiATLClassifier.from_preset(
            lm,
            load_weights=row.pretrained,
            label_names=label_map.names,
            auxiliary_loss=row.auxiliary_loss,
            sequence_length=sequence_length,
            gradient_checkpointing=gradient_checkpointing,
            **{**(task_layers or {}), **row.head},
            backbone_overrides=backbone,
        )
        if lora_rank:
            _enable_lora(model.backbone, lora_rank)
        asked = Stages(backbone_epoch, embedding_epoch, layers_per_epoch)
        stages = stages_of(row, model, asked)
        optimizer = optimizer_of(
            row,
            model,
            stages,
            epochs=epochs,
            steps_per_epoch=-(-len(examples.texts) // batch_size),
            schedule=schedule,
            task_learning_rate=task_learning_rate,
            pretrained_learning_rate=pretrained_learning_rate,
            pretrained_optimizer=(
                pretrained_optimizer or suited_optimizer(type(model.backbone))
            ),
            clipnorm=clipnorm,
        )
        model.compile(optimizer, sampled_words=sampled_words)
    averaging = [] if average_momentum is None else [WeightAveraging(average_momentum)]
    history = model.fit(
        examples.texts,
        label_map.encode(examples),
        batch_size=batch_size,
        validation_data=(held_out.texts, held_out_labels),
        class_weight=class_weight,
        epochs=epochs,
        seed=seed,
        callbacks=[
            gamma_decay,
            SequentialUnfreezing(
                stages.backbone_epoch,
                stages.embedding_epoch,
                stage_optimizers if row.sequential_unfreezing else None,
                stages.layers_per_epoch,
            ),
            GroupLearningRates(),
            *averaging,
            keras.callbacks.EarlyStopping(
                "val_task_loss",
                patience=patience,
                mode="min",
                restore_best_weights=True,
            ),
            keras.callbacks.TensorBoard(str(folder / "tensorboard")),
            BackupAndRestore(folder / "backup", delete_checkpoint=False),
        ],
        verbose=verbose,
    )
    with new_folder(folder / "model", overwrite=True) as preset:
        model.save_to_preset(str(preset))
    epochs_run = as_epochs(history)
    best = min(epochs_run, key=_rank)
    metrics |= {
        "best_epoch": best["epoch"],
        "validation": {
            key.removeprefix("val_"): value
            for key, value in best.items()
            if key.startswith("val_")
        },
        "history": epochs_run,
    }
    plot_training(epochs_run, folder / "training.png")
    if tested:
        metrics["test"] = evaluate_classifier(model, tested, folder).to_dict()
    finish_run(folder, metrics)
    return model, metrics


def _rank(logs: dict[str, Any]) -> float:
    loss = logs["val_task_loss"]
    return loss if math.isfinite(loss) else math.inf


def _enable_lora(backbone: Any, rank: int) -> None:
    backbone.enable_lora(rank)
    if not backbone.trainable_variables:
        raise ValueError(
            "`lora_rank` needs a language model with attention, whose queries and "
            f"values it adapts. Received: {type(backbone).__name__}."
        )


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
