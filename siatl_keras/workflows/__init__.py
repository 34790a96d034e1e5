"""Whole jobs, one per file, that the recipes call."""

from siatl_keras.workflows.evaluate import evaluate_classifier, write_evaluation
from siatl_keras.workflows.explain import explain
from siatl_keras.workflows.finetune import finetune
from siatl_keras.workflows.finetune_config import METHOD_NAMES, FinetuneConfig
from siatl_keras.workflows.pair_column import check_pair_column
from siatl_keras.workflows.predict import (
    format_header,
    format_prediction,
    predict_stream,
)
from siatl_keras.workflows.pretrain_config import PretrainConfig
from siatl_keras.workflows.pretrain_language_model import pretrain_language_model
from siatl_keras.workflows.tune import tune

__all__ = [
    "METHOD_NAMES",
    "FinetuneConfig",
    "PretrainConfig",
    "check_pair_column",
    "evaluate_classifier",
    "explain",
    "finetune",
    "format_header",
    "format_prediction",
    "predict_stream",
    "pretrain_language_model",
    "tune",
    "write_evaluation",
]
