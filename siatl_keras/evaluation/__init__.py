"""Figures and plots of classifiers, and a baseline to compare with."""

from siatl_keras.evaluation.bag_of_words import bag_of_words_baseline
from siatl_keras.evaluation.plots import (
    plot_confusion_matrix,
    plot_perplexity,
    plot_training,
)
from siatl_keras.evaluation.report import Report, evaluate_predictions

__all__ = [
    "Report",
    "bag_of_words_baseline",
    "evaluate_predictions",
    "plot_confusion_matrix",
    "plot_perplexity",
    "plot_training",
]
