"""Whole jobs, one per file, that the recipes call."""

from siatl_keras.runs.counted_words import comparison_line
from siatl_keras.runs.distill import distill
from siatl_keras.runs.distill_config import DistillConfig
from siatl_keras.runs.evaluate import Evaluation, evaluate_classifier
from siatl_keras.runs.explain import explain
from siatl_keras.runs.finetune import finetune
from siatl_keras.runs.finetune_config import METHOD_NAMES, FinetuneConfig
from siatl_keras.runs.pair_column import check_pair_column
from siatl_keras.runs.predict import (
    format_header,
    format_prediction,
    predict_stream,
)
from siatl_keras.runs.pretrain_config import PretrainConfig
from siatl_keras.runs.pretrain_language_model import pretrain_language_model
from siatl_keras.runs.tokenize_config import TokenizeConfig
from siatl_keras.runs.tokenize_corpus import tokenize_corpus

__all__ = [
    "METHOD_NAMES",
    "DistillConfig",
    "Evaluation",
    "FinetuneConfig",
    "PretrainConfig",
    "TokenizeConfig",
    "check_pair_column",
    "comparison_line",
    "distill",
    "evaluate_classifier",
    "explain",
    "finetune",
    "format_header",
    "format_prediction",
    "predict_stream",
    "pretrain_language_model",
    "tokenize_corpus",
]
