"""Regression: numbers of any unit, learned as if they had none."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from siatl_keras.data import Examples
from siatl_keras.inputs import Column, validation_split
from siatl_keras.inputs.refusals import errors_of_rows
from siatl_keras.tasks import Regression

RANDOM = np.random.default_rng(0)
NUMBERS = RANDOM.normal(50.0, 20.0, 40).astype("float32")
TASK = Regression.from_labels(NUMBERS)
OUTPUTS = (NUMBERS + RANDOM.normal(size=40))[:, None].astype("float32")
ERRORS = OUTPUTS[:, 0] - NUMBERS


@pytest.mark.parametrize(
    "labels",
    [
        [1, 2.5, -3],
        (1.0, 2.5, -3.0),
        np.array([1, 2.5, -3]),
        np.array([[1], [2.5], [-3]]),
        pd.Series([1, 2.5, -3], index=[2, 2, 0]),
        tf.constant([1, 2.5, -3]),
    ],
    ids=str,
)
def test_numbers_in_all_forms_are_float32(labels):
    encoded = TASK.encode(Column(labels, "y"))
    assert encoded.dtype == np.float32 and encoded.tolist() == [1, 2.5, -3]


def test_numbers_of_a_file_are_read_and_named_with_their_line():
    def file(labels):
        lines = list(range(2, len(labels) + 2))
        return Column.of_file(Examples(["a"] * len(labels), labels, lines, "train.tsv"))

    assert TASK.encode(file(["1", "2.5", "-3e1"])).tolist() == [1, 2.5, -30]
    for wrong in ("many", "nan", "inf", "1,5"):
        with pytest.raises(ValueError, match="train.tsv, line 3: expected a finite"):
            TASK.encode(file(["1", wrong]))


@pytest.mark.parametrize("wrong", ["2.5", np.inf, True, [1.0], 1j])
def test_what_is_no_finite_number_is_refused_with_its_row(wrong):
    with pytest.raises(ValueError, match="`y`, row 1: expected a finite number"):
        TASK.encode(Column([1.0, wrong], "y"))


def test_a_missing_number_is_named():
    with pytest.raises(ValueError, match="`y`, row 1: there is no label, but nan"):
        TASK.encode(Column([1.0, float("nan")], "y"))


def test_mean_and_deviation_are_those_of_the_training_texts():
    assert TASK.mean == pytest.approx(NUMBERS.mean(dtype="float64"), rel=1e-6)
    assert TASK.std == pytest.approx(NUMBERS.std(dtype="float64"), rel=1e-6)
    for labels in ([3.0, 3.0], []):
        with pytest.raises(ValueError, match="two different numbers"):
            Regression.from_labels(labels)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mean": np.nan}, "`mean` must be a finite number"),
        ({"mean": "much"}, "`mean`"),
        ({"std": 0.0}, "`std`"),
        ({"std": -1.0}, "`std`"),
    ],
)
def test_wrong_means_and_deviations_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Regression(**arguments)


def test_the_head_s_numbers_are_brought_into_the_unit():
    head = (OUTPUTS - TASK.mean) / TASK.std
    np.testing.assert_allclose(TASK.outputs(head), OUTPUTS, rtol=1e-5)


def of_own(y_true, y_pred):
    return keras.ops.square(y_true - y_pred[:, 0])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("auto", np.square(ERRORS / TASK.std).mean()),
        ("mse", np.square(ERRORS / TASK.std).mean()),
        (keras.losses.MeanAbsoluteError(), np.abs(ERRORS / TASK.std).mean()),
        (of_own, np.square(ERRORS).mean()),
    ],
    ids=["auto", "mse", "mae", "own"],
)
def test_losses_of_keras_are_standardised_and_others_are_not(loss, expected):
    received = np.mean(TASK.loss(loss)(NUMBERS, OUTPUTS))
    assert received == pytest.approx(expected, rel=1e-4)


def test_the_loss_is_the_same_in_another_unit():
    other = Regression.from_labels(NUMBERS * 1000 - 7)
    expected = TASK.mean_loss(NUMBERS, OUTPUTS)
    received = other.mean_loss(NUMBERS * 1000 - 7, OUTPUTS * 1000 - 7)
    assert received == pytest.approx(expected, rel=1e-3)


def test_metrics_are_in_the_unit_of_the_numbers():
    values = {}
    for metric in [*TASK.default_metrics(), "mean_squared_error"]:
        made = TASK.metric(metric)
        for part in (slice(0, 15), slice(15, 40)):
            made.update_state(NUMBERS[part], OUTPUTS[part])
        values[made.name] = float(made.result())
    assert values["mae"] == pytest.approx(np.abs(ERRORS).mean(), rel=1e-5)
    assert values["rmse"] == pytest.approx(np.sqrt(np.square(ERRORS).mean()), rel=1e-5)
    assert values["mean_squared_error"] == pytest.approx(np.square(ERRORS).mean())


@pytest.mark.parametrize("loss", ["crossentropy", "hinge", "what"])
def test_losses_of_classes_are_refused(loss):
    with pytest.raises(ValueError, match="`loss`"):
        TASK.loss(loss)


def test_what_needs_classes_is_refused_in_words():
    with pytest.raises(ValueError, match='Pass "mae"'):
        TASK.metric("accuracy")
    with pytest.raises(ValueError, match="Regression gives no probabilities"):
        TASK.probabilities(OUTPUTS)
    with pytest.raises(ValueError, match="Regression has no single class"):
        TASK.class_weights("balanced", NUMBERS)
    with pytest.raises(ValueError, match="Regression has no single class"):
        TASK.linear_model(1.0, "balanced")


def test_strata_are_tenths():
    strata = TASK.strata(NUMBERS)
    assert np.bincount(strata).tolist() == [4] * 10
    order = np.argsort(NUMBERS)
    assert (np.diff(strata[order]) >= 0).all()
    assert TASK.strata(NUMBERS[:3]).tolist() == [0, 0, 0]


def test_all_ways_out_give_the_same_numbers():
    served = tf.function(TASK.served)(OUTPUTS)
    np.testing.assert_array_equal(served["value"], OUTPUTS[:, 0])
    assert TASK.answers(OUTPUTS) == OUTPUTS[:, 0].astype("float64").tolist()
    assert TASK.answer_rows(np.array([[1234.56789]])) == [{"value": 1234.57}]
    assert TASK.answer_columns == ["value"] and TASK.label_names == []


def test_datasets_of_numbers_are_encoded_and_others_are_refused():
    dataset = tf.data.Dataset.from_tensor_slices([1, 2]).batch(2)
    encode = TASK.graph_encoder(dataset.element_spec, "x")
    (encoded,) = list(dataset.map(encode))
    assert encoded.dtype == tf.float32 and encoded.numpy().tolist() == [1, 2]
    with pytest.raises(ValueError, match="must be numbers. Received: string"):
        TASK.graph_encoder(tf.TensorSpec([None], tf.string), "x")
    dataset = tf.data.Dataset.from_tensor_slices([1.0, np.nan]).batch(2)
    encode = TASK.graph_encoder(dataset.element_spec, "x")
    with pytest.raises(ValueError, match="not finite"), errors_of_rows():
        list(dataset.map(encode))


def test_the_linear_model_is_ridge_regression():
    features = np.stack([NUMBERS, NUMBERS**2], -1)
    model = TASK.linear_model(10.0).fit(features, NUMBERS)
    assert model.alpha == pytest.approx(0.1)
    outputs = TASK.linear_outputs(model, features)
    assert outputs.shape == (40, 1)
    assert TASK.report(NUMBERS, outputs).mae < 0.1
    predictions = TASK.predictions(NUMBERS, outputs)
    assert predictions.scores.shape == (40, 0)


@pytest.mark.parametrize("wrong", [1e39, -1e39, 10**400], ids=["e39", "-e39", "e400"])
def test_numbers_beyond_float32_are_refused_with_their_row(wrong):
    with pytest.raises(ValueError, match="`y`, row 1: expected a finite number"):
        TASK.encode(Column([1.0, wrong], "y"))
    with pytest.raises(ValueError, match="a.tsv, line 9: expected a finite number"):
        TASK.encode(Column(["1", str(wrong)], "a.tsv", [2, 9]))
    assert TASK.encode(Column([3e38], "y")).tolist() == [np.float32(3e38)]


@given(
    arrays("float32", 9, elements=st.floats(-1e6, 1e6, width=32)),
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e6),
)
def test_standardised_losses_are_those_of_numpy(numbers, mean, std):
    task = Regression(mean, std)
    outputs = numbers[::-1, None]
    losses = np.square((numbers - outputs[:, 0].astype("float64")) / std)
    # Numbers far from the mean are rounded before they are compared.
    rounding = (abs(mean) + 1e6) * 2.0**-22 / std
    received = task.mean_loss(numbers, outputs)
    difference = abs(received**0.5 - losses.mean() ** 0.5)
    assert difference <= rounding + 1e-4 * losses.mean() ** 0.5


def test_metrics_weigh_texts():
    weights = RANDOM.uniform(0, 2, 40)
    for metric, expected in zip(
        TASK.default_metrics(),
        (mean_absolute_error, root_mean_squared_error),
        strict=True,
    ):
        made = TASK.metric(metric)
        for rows in np.array_split(np.arange(40), 3):
            made.update_state(NUMBERS[rows], OUTPUTS[rows], weights[rows])
        expected = expected(NUMBERS, OUTPUTS[:, 0], sample_weight=weights)
        assert float(made.result()) == pytest.approx(expected, rel=1e-5)


def test_the_loss_weighs_texts():
    weights = np.arange(40.0)
    expected = np.mean(np.square(ERRORS / TASK.std) * weights)
    received = float(TASK.loss("auto")(NUMBERS, OUTPUTS, weights))
    assert received == pytest.approx(expected, rel=1e-4)


def test_a_metric_of_one_s_own_gets_targets_and_outputs():
    def own(y_true, y_pred):
        return y_true - y_pred[:, 0]

    np.testing.assert_allclose(TASK.metric(own)(NUMBERS, OUTPUTS), -ERRORS, atol=1e-4)


def test_held_out_texts_are_of_all_tenths_also_where_numbers_are_the_same():
    for numbers in (NUMBERS, np.floor(NUMBERS / 30)):
        _, held_out = validation_split(TASK.strata(numbers), 0.25, stratified=True)
        assert len(held_out) == 10
        assert abs(numbers[held_out].mean() - numbers.mean()) < numbers.std() / 2
    assert TASK.strata(np.zeros(0)).shape == (0,)
    assert TASK.strata(np.ones(1)).tolist() == [0]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (tf.TensorSpec([], tf.float32), "not batched"),
        (tf.TensorSpec([None, 2], tf.float32), r"must be \[batch\]"),
        (tf.TensorSpec([None], tf.bool), "must be numbers. Received: bool"),
    ],
)
def test_datasets_of_another_form_are_refused(spec, message):
    with pytest.raises(ValueError, match=message):
        TASK.graph_encoder(spec, "x")
