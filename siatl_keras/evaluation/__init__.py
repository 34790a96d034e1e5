"""Figures and plots of classifiers, of experiments, and baselines to compare with."""

from siatl_keras.evaluation.attention_map import AttentionMap, short_names
from siatl_keras.evaluation.attention_page import attention_page
from siatl_keras.evaluation.attention_picture import plot_attention
from siatl_keras.evaluation.bag_of_words import bag_of_words_baseline, word_counts
from siatl_keras.evaluation.calibration import (
    Calibration,
    calibration_of_answers,
    calibration_of_labels,
)
from siatl_keras.evaluation.doubtful_labels import doubtful_labels
from siatl_keras.evaluation.linear_model import choose_strength
from siatl_keras.evaluation.measures import (
    LOSS,
    MEASURES,
    Measure,
    lower_is_better,
    measure_of,
)
from siatl_keras.evaluation.mistakes import (
    Mistake,
    mistakes_text,
    most_confident_mistakes,
)
from siatl_keras.evaluation.multi_label_report import (
    MultiLabelReport,
    evaluate_multi_label,
)
from siatl_keras.evaluation.number_report import NumberReport, evaluate_numbers
from siatl_keras.evaluation.ordinal_report import OrdinalReport, evaluate_levels
from siatl_keras.evaluation.pair_features import PairFeatures
from siatl_keras.evaluation.plots import (
    plot_confusion_matrix,
    plot_f1_by_label,
    plot_numbers,
    plot_perplexity,
    plot_reliability,
    plot_training,
)
from siatl_keras.evaluation.predictions import Predictions
from siatl_keras.evaluation.report import Report, evaluate_predictions
from siatl_keras.evaluation.resampling import (
    Interval,
    Resampled,
    bootstrap_interval,
)

__all__ = [
    "AttentionMap",
    "Calibration",
    "Interval",
    "LOSS",
    "MEASURES",
    "Measure",
    "Mistake",
    "MultiLabelReport",
    "NumberReport",
    "OrdinalReport",
    "PairFeatures",
    "Predictions",
    "Report",
    "Resampled",
    "attention_page",
    "bag_of_words_baseline",
    "bootstrap_interval",
    "calibration_of_answers",
    "calibration_of_labels",
    "doubtful_labels",
    "evaluate_levels",
    "evaluate_multi_label",
    "evaluate_numbers",
    "evaluate_predictions",
    "choose_strength",
    "lower_is_better",
    "measure_of",
    "mistakes_text",
    "most_confident_mistakes",
    "plot_attention",
    "plot_confusion_matrix",
    "plot_f1_by_label",
    "plot_numbers",
    "plot_perplexity",
    "plot_reliability",
    "plot_training",
    "short_names",
    "word_counts",
]
