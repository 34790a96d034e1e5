"""Figures and plots of classifiers, of experiments, and baselines to compare with."""

from siatl_keras.evaluation.attention_map import AttentionMap, short_names
from siatl_keras.evaluation.attention_page import attention_page
from siatl_keras.evaluation.attention_picture import plot_attention
from siatl_keras.evaluation.bag_of_words import bag_of_words_baseline, word_counts
from siatl_keras.evaluation.experiment_plots import (
    FORGETTING_STYLES,
    perplexity_by_epoch,
    plot_forgetting,
    plot_gamma,
    plot_training_size,
    runs_by_gamma,
)
from siatl_keras.evaluation.linear_classifier import fit_linear_classifier
from siatl_keras.evaluation.main_table import MainTable
from siatl_keras.evaluation.pair_features import PairFeatures
from siatl_keras.evaluation.paired_bootstrap import PairedDifference, paired_bootstrap
from siatl_keras.evaluation.plots import (
    plot_confusion_matrix,
    plot_perplexity,
    plot_training,
)
from siatl_keras.evaluation.predictions import Predictions
from siatl_keras.evaluation.report import Report, evaluate_predictions
from siatl_keras.evaluation.run_key import RunKey, finished_runs
from siatl_keras.evaluation.run_result import RunResult
from siatl_keras.evaluation.spread import Spread

__all__ = [
    "AttentionMap",
    "FORGETTING_STYLES",
    "MainTable",
    "PairFeatures",
    "PairedDifference",
    "Predictions",
    "Report",
    "RunKey",
    "RunResult",
    "Spread",
    "attention_page",
    "bag_of_words_baseline",
    "evaluate_predictions",
    "finished_runs",
    "fit_linear_classifier",
    "paired_bootstrap",
    "perplexity_by_epoch",
    "plot_attention",
    "plot_confusion_matrix",
    "plot_forgetting",
    "plot_gamma",
    "plot_perplexity",
    "plot_training",
    "plot_training_size",
    "runs_by_gamma",
    "short_names",
    "word_counts",
]
