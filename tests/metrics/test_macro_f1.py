import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from rigs.round_trips import through_config
from siatl_keras.metrics import MacroF1


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 7), st.integers(1, 40), st.integers(0, 999), st.booleans())
def test_it_agrees_with_scikit_learn(classes, rows, seed, weighted):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, rows)
    logits = random.normal(size=(rows, classes)).astype("float32")
    weights = random.uniform(0.1, 2, rows).astype("float32") if weighted else None
    metric = MacroF1(classes)
    half = rows // 2
    for part in (slice(0, half), slice(half, rows)):
        metric.update_state(
            labels[part], logits[part], None if weights is None else weights[part]
        )
    expected = f1_score(
        labels,
        logits.argmax(-1),
        labels=range(classes),
        average="macro",
        sample_weight=weights,
        zero_division=0,
    )
    assert float(metric.result()) == pytest.approx(expected, abs=1e-5)


def test_equal_logits_are_still_a_prediction():
    metric = MacroF1(2)
    metric.update_state([0, 0], [[0.0, 0.0], [0.0, 0.0]])
    assert float(metric.result()) == pytest.approx(0.5, abs=1e-5)


def test_labels_may_come_as_a_column():
    metric = MacroF1(2)
    metric.update_state([[0], [1]], [[2.0, 1.0], [1.0, 2.0]])
    assert float(metric.result()) == pytest.approx(1.0, abs=1e-5)


def test_one_class_is_an_error():
    with pytest.raises(ValueError, match="num_classes=1"):
        MacroF1(1)


def test_config_round_trip():
    metric = through_config(MacroF1(4, name="f"))
    assert (metric.num_classes, metric.name) == (4, "f")


def test_an_empty_batch_changes_nothing():
    metric = MacroF1(2)
    metric.update_state([0, 1], [[2.0, 1.0], [2.0, 1.0]])
    before = float(metric.result())
    metric.update_state(np.zeros(0, "int32"), np.zeros((0, 2), "float32"))
    assert float(metric.result()) == before
