"""`Training`: how a run makes a classifier and fits it, as often as need be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from siatl_keras.callbacks import BackupAndRestore
from siatl_keras.evaluation import lower_is_better
from siatl_keras.inputs import LabelledTexts
from siatl_keras.models import SiATLClassifier, backbone_class, number_of_layers
from siatl_keras.plans import Plan
from siatl_keras.runs.announcement import announce
from siatl_keras.runs.finetune_config import FinetuneConfig
from siatl_keras.tasks import Task

# The name of the first of several fits, which is said what they do before.
FIRST_FOLD = "fold_1"


@dataclass(frozen=True)
class Training:
    """Makes classifiers that are alike, and fits them.

    Attributes:
        config: the run's.
        plan: how they are taught.
        lm: preset of the language model that they begin with.
        task: what they learn.
        strategy: `tf.distribute.Strategy`, or `None` for the default one.
        verbose: as for `keras.Model.fit`.
    """

    config: FinetuneConfig
    plan: Plan
    lm: str
    task: Task
    strategy: tf.distribute.Strategy | None
    verbose: int

    def fit(
        self,
        lesson: LabelledTexts,
        validation: LabelledTexts | None,
        name: str = "",
        epochs: int | None = None,
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> tuple[SiATLClassifier, list[dict[str, Any]]]:
        """Makes a classifier, and fits it; goes on where an earlier call was stopped.

        Args:
            lesson: what it learns from.
            validation: what early stopping goes by; `None` for none.
            name: of the folders for backups and TensorBoard's logs, in those of the
                run.
            epochs: int, after which training is cut short; schedules are as long as
                without.
            callbacks: more than the plan's.

        Returns:
            `(model, history)`: the model has the best epoch's weights, the last one's
            without `validation`; the history is a dict per epoch, see `as_epochs`.
        """
        config, plan = self.config, self.plan
        if validation is None:
            plan = replace(plan, patience=None)
        keras.utils.set_random_seed(config.seed)
        with (self.strategy or tf.distribute.get_strategy()).scope():
            model = self._new_model()
            steps = math.ceil(len(lesson) / config.batch_size)
            optimizer = plan.optimizer(model, steps)
            model.compile(optimizer, sampled_words=config.sampled_words)
        epochs = epochs or plan.epochs
        if self.verbose and name == (FIRST_FOLD if config.folds else ""):
            print(announce(model, self.lm, plan, lesson, validation, epochs))
        folder = Path(config.output)
        backup = BackupAndRestore(
            folder / "backup" / name, delete_checkpoint=False, shared=False
        )
        history = model.fit(
            lesson.texts,
            lesson.targets,
            batch_size=config.batch_size,
            validation_data=validation and (validation.texts, validation.targets),
            class_weight=config.class_weight,
            epochs=epochs,
            seed=config.seed,
            callbacks=[
                *plan.callbacks(folder / "tensorboard" / name, backup),
                *callbacks,
            ],
            verbose=self.verbose,
        )
        return model, as_epochs(history)

    def _new_model(self) -> SiATLClassifier:
        config, plan = self.config, self.plan
        model: SiATLClassifier = SiATLClassifier.from_preset(
            self.lm,
            load_weights=plan.pretrained,
            task=self.task,
            auxiliary_loss=plan.gamma is not None,
            perplexity=plan.depth == 1,
            word_scores=bool(config.word_scores),
            sequence_length=config.sequence_length,
            pairs=bool(config.pair_column),
            long_texts=config.long_texts,
            max_windows=config.max_windows,
            gradient_checkpointing=config.gradient_checkpointing,
            backbone_overrides=self._backbone_arguments(),
            **config.task_arguments(plan),
        )
        plan.prepare(model)
        return model

    def _backbone_arguments(self) -> dict[str, Any]:
        depth = self.plan.depth
        arguments: dict[str, Any] = self.config.backbone_arguments(
            backbone_class(self.lm)
        )
        layers = number_of_layers(self.lm) if depth < 1 else None
        if layers is not None:
            arguments["num_layers"] = max(1, math.ceil(layers * depth))
        return arguments


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


def best_epoch(history: Sequence[dict[str, Any]], monitor: str) -> int:
    """Finds the epoch, counted from 1, of the best value on the validation texts.

    Args:
        history: a dict per epoch.
        monitor: what goes by the name `val_…` in it.
    """
    ranks = [_rank(logs[f"val_{monitor}"], monitor) for logs in history]
    return ranks.index(min(ranks)) + 1


def _rank(value: float, monitor: str) -> float:
    if not math.isfinite(value):
        return math.inf
    return value if lower_is_better(monitor) else -value


def free_models() -> None:
    """Lets go of the models that Keras holds on to, for the next one to be made."""
    policy = keras.config.dtype_policy()
    keras.backend.clear_session()
    keras.config.set_dtype_policy(policy)  # Which is forgotten with them.
