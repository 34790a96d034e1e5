"""class_weights: one table, from a dict, a list, an array or "balanced"."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.class_weight import compute_class_weight

from siatl_keras.tasks import LabelNames, class_weights

CLASSES = LabelNames(["no", "yes", "perhaps"])
LABELS = np.array([0, 0, 0, 1, 1, 2])


@pytest.mark.parametrize(
    ("class_weight", "expected"),
    [
        ({"yes": 3.0}, [1, 3, 1]),
        ({1: 3.0}, [1, 3, 1]),
        ({}, [1, 1, 1]),
        ({"no": 0, "yes": 2, "perhaps": 0.5}, [0, 2, 0.5]),
        ([1, 2, 3], [1, 2, 3]),
        (np.array([1.0, 2.0, 3.0]), [1, 2, 3]),
        (pd.Series([1, 2, 3], index=[2, 1, 0]), [1, 2, 3]),
        ({np.int64(2): np.float32(0.5)}, [1, 1, 0.5]),
    ],
    ids=str,
)
def test_a_class_has_its_weight_and_a_missing_one_weighs_one(class_weight, expected):
    assert class_weights(class_weight, CLASSES, None).tolist() == expected


def test_balanced_is_what_scikit_learn_calls_balanced():
    received = class_weights("balanced", CLASSES, LABELS)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    np.testing.assert_allclose(received, expected)
    assert received[LABELS].mean() == pytest.approx(1.0)


def test_balanced_leaves_classes_without_texts_at_one():
    received = class_weights("balanced", CLASSES, np.array([0, 0, 1]))
    np.testing.assert_allclose(received, [0.75, 1.5, 1.0])


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("even", "or \"balanced\". Received: 'even'"),
        ({"maybe": 1}, "`class_weight`, row 0: the label 'maybe' is not among"),
        ({5: 1}, "`class_weight`, row 0: 5 is neither a class number, from 0 to 2"),
        ({0: 1, 1.5: 2}, "row 1.*1.5"),
        ([1, 2], "a weight for each of the 3 classes.*2 weights"),
        (np.ones(4), "4 weights"),
        ({"yes": -1}, "for class 'yes': -1"),
        ({"yes": float("nan")}, "for class 'yes': nan"),
        ({"yes": float("inf")}, "for class 'yes': inf"),
        ({"yes": "much"}, "for class 'yes': 'much'"),
        ({"yes": None}, "for class 'yes': None"),
        ([1, 1, [1]], "for class 'perhaps'"),
        (2.0, "`class_weight` must be a list"),
    ],
)
def test_what_gives_no_weight_for_each_class_is_refused(class_weight, message):
    with pytest.raises(ValueError, match=message):
        class_weights(class_weight, CLASSES, LABELS)


def test_a_class_named_twice_is_refused():
    # A dict of names and numbers is refused as labels that are both.
    with pytest.raises(ValueError, match="not both"):
        class_weights({0: 1, "no": 2}, CLASSES, LABELS)
    with pytest.raises(ValueError, match="names a class twice"):
        class_weights({b"no": 1, "no": 2}, CLASSES, LABELS)


def test_balanced_needs_labels():
    with pytest.raises(ValueError, match="needs the labels beforehand"):
        class_weights("balanced", CLASSES, None)
