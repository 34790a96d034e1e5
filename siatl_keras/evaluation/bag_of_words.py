"""What word counts alone can do, for comparison: `bag_of_words_baseline`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline


def word_counts() -> TfidfVectorizer:
    """Makes an untrained transformer of texts to TF-IDF of words and word pairs."""
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)


def bag_of_words_baseline(
    task: Any,
    texts: Sequence[str],
    targets: np.ndarray,
    test_texts: Sequence[str],
    test_targets: np.ndarray,
) -> Any:
    """Trains a linear model on TF-IDF of words and word pairs, and tests it.

    Args:
        task: what is learned, a `siatl_keras.tasks.Task`.
        texts: training texts.
        targets: theirs.
        test_texts: texts to be tested on.
        test_targets: theirs.

    Returns:
        the task's report on the test texts.
    """
    model = make_pipeline(word_counts(), task.linear_model(10.0))
    model.fit(list(texts), targets)
    return task.report(test_targets, task.linear_outputs(model, list(test_texts)))
