"""`PairFeatures`: what lets a linear model see whether two texts agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse
from sklearn.base import BaseEstimator, TransformerMixin


class PairFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turns pairs of texts into the features of both, and what these have in common.

    Beside each text's own stand their absolute difference, their product, and its sum,
    the cosine where rows have length 1: a linear model sees no agreement in the texts'
    own features alone.

    Args:
        of_texts: a scikit-learn transformer of texts to features, dense or sparse; it
            is fitted on both texts of all pairs.
    """

    def __init__(self, of_texts: Any) -> None:
        self.of_texts = of_texts

    def fit(self, pairs: Sequence[tuple[str, str]], y: Any = None) -> PairFeatures:
        """Fits the transformer of texts; the labels are ignored."""
        # A name by which scikit-learn tells that it is fitted; not a clone, which would
        # copy a language model.
        self.of_texts_ = self.of_texts.fit([text for pair in pairs for text in pair])
        return self

    def transform(self, pairs: Sequence[tuple[str, str]]) -> Any:
        """Returns float `[pairs, 4 * features + 1]`, sparse if the texts' are."""
        first, second = (
            self.of_texts_.transform(list(side)) for side in zip(*pairs, strict=True)
        )
        if scipy.sparse.issparse(first):
            common = first.multiply(second)
            total = scipy.sparse.csr_matrix(common.sum(1))
            parts = [first, second, abs(first - second), common, total]
            return scipy.sparse.hstack(parts, format="csr")
        common = first * second
        total = common.sum(1, keepdims=True)
        return np.hstack([first, second, np.abs(first - second), common, total])
