"""`fit_linear_baseline`: the methods that fine-tune nothing.

Source: Chronopoulou et al. 2019, table 2: bag of words, and neural bag of words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from siatl_keras.compat import keras_hub_presets
from siatl_keras.evaluation import (
    PairFeatures,
    choose_strength,
    word_counts,
)
from siatl_keras.models import average_embeddings
from siatl_keras.runs.evaluate import Evaluation, evaluate_run
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
        held_out_outputs: float `[texts, num_outputs]`, for what was held out.
    """

    pipeline: Pipeline
    task: Task
    metrics: dict[str, Any]
    held_out_outputs: np.ndarray

    def outputs(self, data: RunData) -> np.ndarray:
        """Computes the task's outputs for the texts that a run is judged by."""
        if not data.test:
            return self.held_out_outputs
        return self.task.linear_outputs(self.pipeline, data.test.texts)

    def report(self, data: RunData) -> Any:
        """Measures it on the texts that a run is judged by.

        Args:
            data: the run's texts.
        """
        return self.task.report(data.targets(data.judged), self.outputs(data))


def fit_linear_model_of(
    method: str, config: FinetuneConfig, data: RunData
) -> FittedLinearModel:
    """Fits a linear model, its regularisation chosen on what is held out.

    Args:
        method: a key of `FEATURES`.
        config: the run's.
        data: its texts.
    """
    task, held_out = data.task, data.targets(data.held_out)
    features = _features(method, config)
    strength, loss, outputs = choose_strength(
        task,
        (
            (
                features.fit_transform(part.train.texts),
                data.targets(part.train),
                features.transform(part.held_out.texts),
            )
            for part in data.parts
        ),
        held_out,
        config.class_weight,
    )
    estimator = task.linear_model(strength, config.class_weight).fit(
        features.fit_transform(data.train.texts), data.targets(data.train)
    )
    pipeline = Pipeline([("features", features), ("estimator", estimator)])
    measures = task.report(held_out, outputs).measures
    metrics = {
        "regularization": 1.0 / strength,
        "validation": {"task_loss": loss, **measures},
    }
    tuned = task.tuned_on(held_out, outputs)
    return FittedLinearModel(pipeline, tuned, metrics, outputs)


def _features(method: str, config: FinetuneConfig) -> Pipeline:
    of_texts, *steps = FEATURES[method](
        config.lm, config.sequence_length or SEQUENCE_LENGTH
    )
    if config.pair_column:
        of_texts = PairFeatures(of_texts)
    return make_pipeline(of_texts, *steps)


def fit_linear_baseline(
    config: FinetuneConfig, data: RunData
) -> tuple[Pipeline, dict[str, Any], Evaluation]:
    """Fits a linear model on features of texts, and tests it.

    Args:
        config: its `method` is a key of `FEATURES`; the report goes to its `output`.
        data: its texts.

    Returns:
        `(model, metrics, evaluation)`: a pipeline that takes texts, a dict with the
        figures under the same names as those of fine-tuning, and the evaluation.
    """
    fitted = fit_linear_model_of(config.method, config, data)
    evaluation = evaluate_run(data, fitted.task, fitted.outputs(data), config.output)
    metrics = fitted.metrics | evaluation.figures(data.judged_by)
    return fitted.pipeline, metrics, evaluation
