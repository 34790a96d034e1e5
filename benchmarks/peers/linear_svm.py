"""The peer without a language model: TF-IDF of words, pairs and parts of words, SVM."""

import pickle

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from benchmarks.quality.sides import Answers


def fit(texts, labels, seed, folder):
    """Fits a linear support vector machine; see `benchmarks.quality.sides`."""
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2
        ),
    )
    model = make_pipeline(features, LinearSVC(random_state=seed)).fit(texts, labels)

    def answers(texts):
        return Answers(model.predict(texts).tolist())

    return answers, len(pickle.dumps(model)) / 1e6
