"""`fit_linear_baseline`: the methods that fine-tune nothing.

Source: Chronopoulou et al. 2019, table 2: bag of words, and neural bag of words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from siatl_keras.compat import keras_hub_presets
from siatl_keras.data import Examples
from siatl_keras.evaluation import (
    PairFeatures,
    fit_linear_model,
    word_counts,
)
from siatl_keras.inputs import Column
from siatl_keras.models import average_embeddings
from siatl_keras.runs.evaluate import write_evaluation
from siatl_keras.runs.finetune_config import FinetuneConfig
from siatl_keras.tasks import Task


def _counts(lm: str, sequence_length: int) -> list[Any]:
    return [word_counts()]


def _embeddings(lm: str, sequence_length: int) -> list[Any]:
    average = partial(
        average_embeddings,
        keras_hub_presets.load_backbone(lm, dtype="float32"),
        keras_hub_presets.load_tokenizer(lm),
        sequence_length=sequence_length,
    )
    # Embeddings are small numbers; regularisation would weigh them by their scale.
    return [FunctionTransformer(average), StandardScaler()]


# What turns texts into features, step by step: made of the language model's preset and
# the most tokens that it reads of a text.
FEATURES: dict[str, Callable[[str, int], list[Any]]] = {
    "bow": _counts,
    "nbow": _embeddings,
}


def fit_linear_baseline(
    config: FinetuneConfig,
    train: Examples,
    held_out: Examples,
    tested: Examples | None,
    task: Task,
) -> tuple[Pipeline, dict[str, Any]]:
    """Fits a linear model on features of texts, and tests it.

    Args:
        config: its `method` is a key of `FEATURES`; the report goes to its `output`.
        train: labelled texts.
        held_out: labelled texts that the regularisation is chosen by.
        tested: labelled texts for the report, or `None`.
        task: what is learned; its `linear_model` is fitted.

    Returns:
        `(model, metrics)`: a pipeline that takes texts, and a dict
        with the figures under the same names as those of fine-tuning.
    """
    of_texts, *steps = FEATURES[config.method](config.lm, config.sequence_length)
    if config.pair_column:
        of_texts = PairFeatures(of_texts)
    transform = make_pipeline(of_texts, *steps)
    held_out_targets = task.encode(Column.of_file(held_out))
    estimator, strength, loss = fit_linear_model(
        task,
        transform.fit_transform(train.texts),
        task.encode(Column.of_file(train)),
        transform.transform(held_out.texts),
        held_out_targets,
        config.class_weight,
    )
    model = Pipeline([("features", transform), ("estimator", estimator)])

    outputs = task.linear_outputs(model, held_out.texts)
    metrics: dict[str, Any] = {
        "regularization": 1.0 / strength,
        "validation": {
            "task_loss": loss,
            **task.report(held_out_targets, outputs).measures,
        },
    }
    task = task.tuned_on(held_out_targets, outputs)
    if tested:
        targets = task.encode(Column.of_file(tested))
        outputs = task.linear_outputs(model, tested.texts)
        report = write_evaluation(task, targets, outputs, Path(config.output))
        metrics |= {"measures": list(report.measures), "test": report.to_dict()}
    return model, metrics
