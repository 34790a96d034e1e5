"""Metrics of tasks and of language models."""

from siatl_keras.metrics.level_metrics import LevelAccuracy, LevelError, QuadraticKappa
from siatl_keras.metrics.macro_f1 import MacroF1
from siatl_keras.metrics.task_metric import TaskMetric, task_metric
from siatl_keras.metrics.token_perplexity import TokenPerplexity

__all__ = [
    "LevelAccuracy",
    "LevelError",
    "MacroF1",
    "QuadraticKappa",
    "TaskMetric",
    "TokenPerplexity",
    "task_metric",
]
