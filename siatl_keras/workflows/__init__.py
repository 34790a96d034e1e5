"""Whole jobs, one a file, that the recipes call."""

from siatl_keras.workflows.evaluate import evaluate_classifier
from siatl_keras.workflows.finetune import finetune
from siatl_keras.workflows.methods import METHODS, Method
from siatl_keras.workflows.predict import format_prediction, predict_stream
from siatl_keras.workflows.pretrain_language_model import pretrain_language_model

__all__ = [
    "METHODS",
    "Method",
    "evaluate_classifier",
    "finetune",
    "format_prediction",
    "predict_stream",
    "pretrain_language_model",
]
