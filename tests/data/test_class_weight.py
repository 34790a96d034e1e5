"""Class weights as weights of examples."""

import numpy as np
import pytest

from siatl_keras.data import class_weight_to_sample_weight


def test_each_example_has_the_weight_of_its_class():
    weights = class_weight_to_sample_weight(np.array([0, 2, 0, 1]), {0: 1, 1: 2, 2: 3})
    assert weights.dtype == np.float32
    assert weights.tolist() == [1, 3, 1, 2]


def test_balanced_classes_count_the_same_in_sum_and_one_on_average():
    labels = np.array([0] * 6 + [1] * 3 + [2])
    weights = class_weight_to_sample_weight(labels, "balanced")
    sums = [weights[labels == label].sum() for label in range(3)]
    np.testing.assert_allclose(sums, 10 / 3, rtol=1e-6)
    np.testing.assert_allclose(weights.mean(), 1, rtol=1e-6)


def test_class_without_weight_is_an_error():
    with pytest.raises(ValueError, match=r"lacks the classes \[1\]"):
        class_weight_to_sample_weight(np.array([0, 1]), {0: 1.0})


def test_other_words_than_balanced_are_an_error():
    with pytest.raises(ValueError, match="Received: 'even'"):
        class_weight_to_sample_weight(np.array([0, 1]), "even")
