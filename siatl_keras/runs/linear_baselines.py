"""`fit_linear_baseline`: the methods that fine-tune nothing.

Source: Chronopoulou et al. 2019, table 2: bag of words, and neural bag of words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
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
from siatl_keras.runs.finetune_config import SEQUENCE_LENGTH, FinetuneConfig
from siatl_keras.runs.run_data import RunData
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


@dataclass(frozen=True)
class FittedLinearModel:
    """A linear model on features of texts, and what it is worth.

    Attributes:
        pipeline: takes texts.
        task: what it learned, with thresholds chosen on what was held out.
        metrics: figures on what was held out, and the regularisation.
    """

    pipeline: Pipeline
    task: Task
    metrics: dict[str, Any]

    def outputs(self, examples: Examples) -> np.ndarray:
        """Computes the task's outputs of texts."""
        return self.task.linear_outputs(self.pipeline, examples.texts)

    def report(self, examples: Examples) -> Any:
        """Measures it on labelled texts."""
        targets = self.task.encode(Column.of_file(examples))
        return self.task.report(targets, self.outputs(examples))


def fit_linear_model_of(
    method: str, config: FinetuneConfig, data: RunData
) -> FittedLinearModel:
    """Fits a linear model, its regularisation chosen on what is held out.

    Args:
        method: a key of `FEATURES`.
        config: the run's.
        data: its texts.
    """
    of_texts, *steps = FEATURES[method](
        config.lm, config.sequence_length or SEQUENCE_LENGTH
    )
    if config.pair_column:
        of_texts = PairFeatures(of_texts)
    transform = make_pipeline(of_texts, *steps)
    task, held_out = data.task, data.targets(data.held_out)
    estimator, strength, loss = fit_linear_model(
        task,
        transform.fit_transform(data.train.texts),
        data.targets(data.train),
        transform.transform(data.held_out.texts),
        held_out,
        config.class_weight,
    )
    pipeline = Pipeline([("features", transform), ("estimator", estimator)])
    outputs = task.linear_outputs(pipeline, data.held_out.texts)
    metrics = {
        "regularization": 1.0 / strength,
        "validation": {"task_loss": loss, **task.report(held_out, outputs).measures},
    }
    return FittedLinearModel(pipeline, task.tuned_on(held_out, outputs), metrics)


def fit_linear_baseline(
    config: FinetuneConfig, data: RunData
) -> tuple[Pipeline, dict[str, Any]]:
    """Fits a linear model on features of texts, and tests it.

    Args:
        config: its `method` is a key of `FEATURES`; the report goes to its `output`.
        data: its texts.

    Returns:
        `(model, metrics)`: a pipeline that takes texts, and a dict
        with the figures under the same names as those of fine-tuning.
    """
    fitted = fit_linear_model_of(config.method, config, data)
    metrics = dict(fitted.metrics)
    if data.test:
        targets, outputs = data.targets(data.test), fitted.outputs(data.test)
        report = write_evaluation(fitted.task, targets, outputs, Path(config.output))
        metrics |= {"measures": list(report.measures), "test": report.to_dict()}
    return fitted.pipeline, metrics
