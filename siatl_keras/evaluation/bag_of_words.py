"""What word counts alone can do, for comparison: `bag_of_words_baseline`."""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from siatl_keras.evaluation.report import Report, evaluate_predictions


def word_counts() -> TfidfVectorizer:
    """Makes an untrained transformer of texts to TF-IDF of words and word pairs."""
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)


def bag_of_words_baseline(
    texts: Sequence[str],
    labels: Sequence[int],
    test_texts: Sequence[str],
    test_labels: Sequence[int],
    label_names: Sequence[str],
) -> Report:
    """Trains logistic regression on TF-IDF of words and word pairs, and tests it.

    Args:
        texts: training texts.
        labels: their class numbers.
        test_texts: texts to be tested on.
        test_labels: their class numbers.
        label_names: names of the classes.

    Returns:
        `Report` on the test texts.
    """
    model = make_pipeline(
        word_counts(),
        LogisticRegression(max_iter=1000, C=10.0),
    )
    model.fit(list(texts), labels)
    return evaluate_predictions(
        test_labels, model.predict(list(test_texts)), label_names
    )
