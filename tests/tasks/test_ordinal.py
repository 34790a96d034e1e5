"""Ordinal: levels in order, their likelihood, and answers that are not far off."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, cohen_kappa_score, mean_absolute_error

from siatl_keras.inputs import Column
from siatl_keras.metrics.level_metrics import level_log_probabilities
from siatl_keras.tasks import Ordinal

TASK = Ordinal(["bad", "fair", "good", "great"])
RANDOM = np.random.default_rng(0)
LEVELS = RANDOM.integers(0, 4, 60).astype("int32")
OUTPUTS = (RANDOM.normal(size=(60, 3)) * 3).astype("float32")
LOGS = np.array(level_log_probabilities(OUTPUTS))
LIKELIHOOD = -LOGS[range(60), LEVELS].mean()


def of_own(y_true, y_pred):
    return keras.losses.sparse_categorical_crossentropy(
        y_true, y_pred, from_logits=True
    )


@pytest.mark.parametrize(
    "loss",
    ["auto", "sparse_categorical_crossentropy", "categorical_crossentropy", of_own],
)
def test_the_loss_is_the_negative_log_likelihood(loss):
    made = TASK.loss(loss)
    assert np.mean(made(LEVELS, OUTPUTS)) == pytest.approx(LIKELIHOOD, rel=1e-5)


def test_the_loss_and_its_gradient_are_finite_however_sure_the_outputs_are():
    outputs = tf.constant([[300.0, -300.0, 300.0], [-300.0, 300.0, -300.0]] * 2)
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        loss = TASK.loss("auto")(tf.constant([0, 1, 2, 3]), outputs)
    assert np.isfinite(loss.numpy())
    gradient = tape.gradient(loss, outputs).numpy()
    assert np.isfinite(gradient).all() and gradient.any()


def test_answers_are_medians_in_all_ways_out():
    medians = (np.cumsum(np.exp(LOGS), -1) >= 0.5).argmax(-1)
    names = [TASK.label_names[level] for level in medians]
    assert TASK.answers(OUTPUTS) == names
    served = tf.function(TASK.served)(OUTPUTS)
    assert served["label_id"].numpy().tolist() == medians.tolist()
    assert [name.decode() for name in served["label"].numpy()] == names
    probabilities = TASK.probabilities(OUTPUTS)
    np.testing.assert_allclose(served["probabilities"], probabilities, atol=1e-6)
    np.testing.assert_allclose(probabilities.sum(-1), 1.0, atol=1e-6)
    assert [row["label"] for row in TASK.answer_rows(OUTPUTS)] == names
    assert len(set(names)) == 4


def test_default_metrics_are_of_the_median_level():
    medians = (np.cumsum(np.exp(LOGS), -1) >= 0.5).argmax(-1)
    values = {}
    for metric in TASK.default_metrics():
        made = TASK.metric(metric)
        made.update_state(LEVELS, OUTPUTS)
        values[made.name] = float(made.result())
    report = TASK.report(LEVELS, OUTPUTS)
    assert values["accuracy"] == pytest.approx((medians == LEVELS).mean())
    assert values["mae"] == pytest.approx(np.abs(medians - LEVELS).mean())
    for name, value in values.items():
        assert value == pytest.approx(report.measures[name], abs=1e-5)


@pytest.mark.parametrize("name", ["accuracy", "acc", "mae", "mean_absolute_error"])
def test_metrics_by_name_are_those_of_levels(name):
    made = TASK.metric(name)
    made.update_state(LEVELS, OUTPUTS)
    measure = "accuracy" if name.startswith("acc") else "mae"
    expected = TASK.report(LEVELS, OUTPUTS).measures[measure]
    assert float(made.result()) == pytest.approx(expected, abs=1e-6)


def test_other_metrics_take_log_probabilities_for_logits():
    made = TASK.metric("sparse_categorical_crossentropy")
    made.update_state(LEVELS, OUTPUTS)
    assert float(made.result()) == pytest.approx(LIKELIHOOD, rel=1e-4)
    best = TASK.metric(lambda y_true, y_pred: keras.ops.argmax(y_pred, -1) == y_true)
    np.testing.assert_array_equal(best(LEVELS, OUTPUTS), LOGS.argmax(-1) == LEVELS)


@pytest.mark.parametrize(
    "labels",
    [
        [3, 10, 1, 3],
        ["3", "10", "1", "3"],
        np.array([3.0, 10.0, 1.0, 3.0]),
        pd.Series([3, 10, 1, 3]),
    ],
    ids=["int", "str", "float", "series"],
)
def test_levels_that_are_numbers_are_in_their_order(labels):
    task = Ordinal.from_labels(labels)
    assert task.label_names == ["1", "3", "10"] and task.num_outputs == 2
    assert task.encode(Column(labels, "y")).tolist() == [1, 2, 0, 1]


def test_words_alone_do_not_tell_their_order():
    with pytest.raises(ValueError, match=r"such as 'high'.*levels=\["):
        Ordinal.from_labels(["low", "high"])
    with pytest.raises(ValueError, match="`levels` must be two at least"):
        Ordinal(["low"])
    with pytest.raises(ValueError, match="two different labels"):
        Ordinal.from_labels([3, 3])


@pytest.mark.parametrize("missing", [None, 2])
def test_the_linear_model_s_outputs_have_its_probabilities(missing):
    features = RANDOM.normal(size=(60, 5))
    known = np.array([level != missing for level in LEVELS])
    model = TASK.linear_model(1.0).fit(features[known], LEVELS[known])
    assert isinstance(model, LogisticRegression)
    received = TASK.probabilities(TASK.linear_outputs(model, features), "float64")
    np.testing.assert_allclose(
        received[:, model.classes_], model.predict_proba(features), atol=1e-6
    )
    outputs = TASK.linear_outputs(model, features)
    expected = -np.log(received[range(60), LEVELS]).mean()
    assert TASK.mean_loss(LEVELS, outputs) == pytest.approx(expected, rel=1e-3)


def test_levels_have_weights():
    assert TASK.class_weights({"good": 2.0}, None).tolist() == [1, 1, 2, 1]
    balanced = TASK.class_weights("balanced", LEVELS)
    assert balanced[LEVELS].mean() == pytest.approx(1.0)
    assert TASK.strata(LEVELS) is LEVELS


def test_diverged_outputs_are_no_answers():
    with pytest.raises(ValueError, match="has diverged"):
        TASK.report(LEVELS, np.full((60, 3), np.nan))


@given(arrays("float32", (3, 3), elements=st.floats(-2e4, 2e4, width=32)))
def test_probabilities_are_the_chain_s_and_losses_finite(outputs):
    goes_on = expit(outputs.astype("float64"))
    reached = np.cumprod(np.insert(goes_on, 0, 1.0, -1), -1)
    chain = reached * np.append(1 - goes_on, np.ones((3, 1)), -1)
    probabilities = TASK.probabilities(outputs)
    np.testing.assert_allclose(probabilities, chain, atol=1e-5)
    np.testing.assert_allclose(probabilities.sum(-1), 1.0, atol=1e-5)
    values = tf.constant(outputs)
    for level in range(4):
        with tf.GradientTape() as tape:
            tape.watch(values)
            loss = TASK.loss("auto")(tf.fill([3], level), values)
        assert np.isfinite(loss.numpy())
        assert np.isfinite(tape.gradient(loss, values).numpy()).all()


@pytest.mark.parametrize("weights", [None, RANDOM.uniform(0.1, 2, 60)])
def test_metrics_of_several_batches_are_scikit_learn_s(weights):
    levels = [TASK.label_names.index(name) for name in TASK.answers(OUTPUTS)]
    how = {"sample_weight": weights}
    expected = {
        "accuracy": accuracy_score(LEVELS, levels, **how),
        "mae": mean_absolute_error(LEVELS, levels, **how),
        "quadratic_kappa": cohen_kappa_score(
            LEVELS, levels, weights="quadratic", **how
        ),
    }
    for metric in TASK.default_metrics():
        made = TASK.metric(metric)
        for rows in np.array_split(np.arange(60), 4):
            part = None if weights is None else weights[rows]
            made.update_state(LEVELS[rows], OUTPUTS[rows], part)
        assert float(made.result()) == pytest.approx(expected[made.name], abs=1e-5)
    assert set(expected) == set(TASK.measured)


def test_two_levels_are_a_question_of_yes_or_no():
    task = Ordinal(["no", "yes"])
    logits = OUTPUTS[:, :1]
    np.testing.assert_allclose(
        task.probabilities(logits)[:, 1], expit(logits[:, 0]), atol=1e-6
    )
    answers = LEVELS % 2
    expected = np.logaddexp(0, logits[:, 0]) - answers * logits[:, 0]
    assert task.mean_loss(answers, logits) == pytest.approx(expected.mean(), rel=1e-5)


@pytest.mark.parametrize("loss", ["binary_crossentropy", "hinge", "what", 3])
def test_losses_of_other_targets_are_refused(loss):
    with pytest.raises(ValueError, match="`loss`"):
        TASK.loss(loss)


def test_the_loss_weighs_texts():
    weights = np.arange(60.0)
    losses = -LOGS[range(60), LEVELS]
    received = float(TASK.loss("auto")(LEVELS, OUTPUTS, weights))
    assert received == pytest.approx(np.mean(losses * weights), rel=1e-5)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["2", "-1", "0"], ["-1", "0", "2"]),
        (["2", "10000000000000000000"], ["2", "10000000000000000000"]),
        (["12", "\u0663"], ["\u0663", "12"]),  # an Arabic 3
        ([True, False], ["0", "1"]),
    ],
)
def test_numbers_are_in_order_however_they_are_written(labels, expected):
    assert Ordinal.from_labels(labels).label_names == expected


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["1", "-"], "such as '-'"),
        ([1.5, 2], "row 0: a label must be a name or a whole number"),
        ([1, None], "`labels`, row 1: there is no label"),
    ],
)
def test_levels_that_are_no_whole_numbers_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        Ordinal.from_labels(labels)


def test_unknown_levels_are_refused_with_their_place():
    with pytest.raises(ValueError, match="`y`, row 1: the label 'poor' is not among"):
        TASK.encode(Column(["good", "poor"], "y"))
    with pytest.raises(ValueError, match="train.tsv, line 7: the label 'poor'"):
        TASK.encode(Column(["good", "poor"], "train.tsv", [3, 7]))


@pytest.mark.parametrize("labels", [["good", "bad"], [2, 0], [[2], [0]]])
def test_datasets_are_encoded_alike(labels):
    dataset = tf.data.Dataset.from_tensor_slices(labels).batch(2)
    encode = TASK.graph_encoder(dataset.element_spec, "x")
    assert next(iter(dataset.map(encode))).numpy().tolist() == [2, 0]


@pytest.mark.parametrize("missing", [0, 3])
def test_the_first_and_last_level_may_be_without_training_texts(missing):
    features = RANDOM.normal(size=(60, 5))
    known = np.array([level != missing for level in LEVELS])
    model = TASK.linear_model(1.0).fit(features[known], LEVELS[known])
    received = TASK.probabilities(TASK.linear_outputs(model, features), "float64")
    np.testing.assert_allclose(
        received[:, model.classes_], model.predict_proba(features), atol=1e-6
    )
    assert (received[:, missing] < 1e-6).all()
