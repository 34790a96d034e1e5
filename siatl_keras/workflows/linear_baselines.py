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

from siatl_keras import _keras_hub_internals
from siatl_keras.data import Examples, LabelMap
from siatl_keras.evaluation import (
    PairFeatures,
    evaluate_predictions,
    fit_linear_classifier,
    word_counts,
)
from siatl_keras.models import average_embeddings
from siatl_keras.workflows.evaluate import write_evaluation
from siatl_keras.workflows.finetune_config import FinetuneConfig


def _counts(lm: str, sequence_length: int) -> list[Any]:
    return [word_counts()]


def _embeddings(lm: str, sequence_length: int) -> list[Any]:
    average = partial(
        average_embeddings,
        _keras_hub_internals.load_backbone(lm, dtype="float32"),
        _keras_hub_internals.load_tokenizer(lm),
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
    label_map: LabelMap,
) -> tuple[Pipeline, dict[str, Any]]:
    """Fits logistic regression on features of texts, and tests it.

    Args:
        config: its `method` is a key of `FEATURES`; the report goes to its `output`.
        train: labelled texts.
        held_out: labelled texts that the regularisation is chosen by.
        tested: labelled texts for the report, or `None`.
        label_map: the classes.

    Returns:
        `(model, metrics)`: a pipeline that predicts class numbers of texts, and a dict
        with the figures under the same names as those of fine-tuning.
    """
    of_texts, *steps = FEATURES[config.method](config.lm, config.sequence_length)
    if config.pair_column:
        of_texts = PairFeatures(of_texts)
    transform = make_pipeline(of_texts, *steps)
    held_out_labels = label_map.encode(held_out)
    classifier, loss = fit_linear_classifier(
        transform.fit_transform(train.texts),
        label_map.encode(train),
        transform.transform(held_out.texts),
        held_out_labels,
        config.class_weight,
    )
    model = Pipeline([("features", transform), ("classifier", classifier)])

    figures = evaluate_predictions(
        held_out_labels, model.predict_proba(held_out.texts), label_map.names
    )
    metrics: dict[str, Any] = {
        "regularization": 1.0 / classifier.C,
        "validation": {
            "task_loss": loss,
            "accuracy": figures.accuracy,
            "macro_f1": figures.macro_f1,
        },
    }
    if tested:
        probabilities = model.predict_proba(tested.texts)
        labels = label_map.encode(tested)
        figures = write_evaluation(
            labels, probabilities, label_map.names, Path(config.output)
        )
        metrics["test"] = figures.to_dict()
    return model, metrics
