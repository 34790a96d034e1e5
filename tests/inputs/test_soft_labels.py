"""Soft labels: probabilities in place of a label, and the loss that they expect."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.inputs import Column
from siatl_keras.inputs.soft_labels import (
    each_label,
    looked_up,
    most_probable,
    soft_labels,
)
from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.tasks import MultiLabel, Ordinal, SingleLabel
from siatl_keras.text import WordTokenizer

NAMES = ["no", "perhaps", "yes"]
WORDS = ["<pad>", "<s>", "</s>", "<unk>", "so", "glad", "what", "a", "day", "not"]
TEXTS = ["so glad", "what a day", "not so glad", "not a day", "so", "a day"]
NUMBERS = np.array([2, 1, 0, 0, 2, 1], "int32")
SHARES = np.array([[0.1, 0.2, 0.7], [0.0, 1.0, 0.0], [0.6, 0.3, 0.1]] * 2, "float32")
TASKS = [SingleLabel(NAMES), Ordinal(NAMES)]


def of(values):
    return soft_labels(Column(values, "y"), NAMES)


def model_of(task, **kwargs):
    keras.utils.set_random_seed(0)
    model = SiATLClassifier(
        LSTMBackbone(len(WORDS), 6, hidden_dim=6, num_layers=1),
        task=task,
        preprocessor=SiATLPreprocessor(WordTokenizer(WORDS)),
        units=6,
        lstm_dropout=0.0,
        attention_dropout=0.0,
    )
    model.compile(keras.optimizers.SGD(0.5), **kwargs)
    return model


def test_an_array_of_a_probability_for_each_label_is_taken():
    np.testing.assert_array_equal(of(SHARES), SHARES)
    np.testing.assert_array_equal(of(tf.constant(SHARES)), SHARES)
    one_hot = of(np.eye(3, dtype="int64"))
    assert one_hot.dtype == "float32"
    np.testing.assert_array_equal(one_hot, np.eye(3))
    rounded = of(np.array([[0.33, 0.33, 0.33]]))
    np.testing.assert_allclose(rounded, [[1 / 3] * 3])


@pytest.mark.parametrize(
    "values", [NUMBERS, NUMBERS[:, None], ["no"], np.array([["no"] * 3]), np.eye(2)]
)
def test_other_labels_are_left_to_others(values):
    assert of(values) is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0.5, 0.6, 0.1], r"`y`, row 1.*add up to 1.*\[0.5, 0.6, 0.1\].*sum is 1.2"),
        ([1.5, -0.5, 0.0], "none negative"),
        ([np.nan, 0.0, 1.0], "row 1"),
        ([1, 0, 1], "pass task=MultiLabel"),
    ],
)
def test_rows_that_are_no_probabilities_are_refused(row, message):
    with pytest.raises(ValueError, match=message):
        of(np.array([[1.0, 0.0, 0.0], row]))


@given(
    st.integers(0, 2**32 - 1),
    st.booleans(),
    st.sampled_from(["sum_over_batch_size", "sum", "mean_with_sample_weight"]),
)
def test_the_loss_is_the_expected_one(seed, weighted, reduction):
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.ones(3), 5).astype("float32")
    logits = random.normal(size=(5, 3)).astype("float32")
    weights = random.uniform(0.1, 2.0, 5).astype("float32") if weighted else None
    loss = keras.losses.SparseCategoricalCrossentropy(True, reduction=reduction)
    soft = keras.losses.CategoricalCrossentropy(True, reduction=reduction)
    found = loss(*each_label(loss, shares, logits, weights))
    np.testing.assert_allclose(found, soft(shares, logits, weights), rtol=1e-5)


def test_the_most_probable_label_and_what_is_looked_up():
    assert most_probable(NUMBERS) is NUMBERS
    for shares in (SHARES, tf.constant(SHARES)):
        np.testing.assert_array_equal(most_probable(shares), [2, 1, 0] * 2)
    table = np.array([1.0, 10.0, 100.0], "float32")
    np.testing.assert_allclose(looked_up(table, NUMBERS), [100, 10, 1, 1, 100, 10])
    np.testing.assert_allclose(looked_up(table, SHARES[:3]), [72.1, 10, 13.6])


@pytest.mark.parametrize("task", TASKS, ids=["classes", "levels"])
def test_one_hot_rows_teach_what_their_numbers_do(task):
    one_hot = np.eye(3, dtype="float32")[NUMBERS]
    how = {"class_weight": {"no": 3.0}, "epochs": 3, "batch_size": 4, "verbose": 0}
    histories = [
        model_of(task).fit(x, y, validation_data=(TEXTS, y), **how).history
        for x, y in ((TEXTS, NUMBERS), (TEXTS, one_hot))
    ]
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("task", TASKS, ids=["classes", "levels"])
def test_a_model_learns_probabilities(task):
    model = model_of(task)
    entropy = -np.sum(SHARES * np.log(np.maximum(SHARES, 1e-9)), -1).mean()
    first = model.evaluate(TEXTS[:3], SHARES[:3], return_dict=True, verbose=0)
    outputs = model.predict(TEXTS[:3], verbose=0)
    expected = -(SHARES[:3] * np.log(model.task.probabilities(outputs))).sum(-1).mean()
    assert first["task_loss"] == pytest.approx(expected, rel=1e-4)
    assert task.mean_loss(SHARES[:3], outputs) == pytest.approx(expected, rel=1e-4)
    model.optimizer.learning_rate = 1.0
    model.fit(TEXTS[:3], SHARES[:3], epochs=300, verbose=0)
    last = model.evaluate(TEXTS[:3], SHARES[:3], return_dict=True, verbose=0)
    assert last["task_loss"] == pytest.approx(entropy, abs=0.1)
    assert last["accuracy"] == 1.0
    np.testing.assert_allclose(model.predict_proba(TEXTS[:3]), SHARES[:3], atol=0.15)


@pytest.mark.parametrize("labels", [NUMBERS, SHARES], ids=["numbers", "soft"])
def test_datasets_of_batches_give_what_arrays_give(labels):
    dataset = tf.data.Dataset.from_tensor_slices((TEXTS, labels)).batch(6)
    how = {"class_weight": [1.0, 2.0, 4.0], "verbose": 0}
    losses = [
        model_of(TASKS[0]).fit(*data, shuffle=False, **how).history["task_loss"]
        for data in ((TEXTS, labels), (dataset,))
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_of_several_labels_each_may_have_a_probability():
    task = MultiLabel(NAMES)
    model = model_of(task, metrics=["accuracy", "auc"])
    shares = np.array([[0.9, 0.2, 0.6], [0.1, 0.7, 0.4]] * 3, "float32")
    logs = model.evaluate(TEXTS, shares, return_dict=True, verbose=0)
    found = 1 / (1 + np.exp(-model.predict(TEXTS, verbose=0)))
    loss = -(shares * np.log(found) + (1 - shares) * np.log(1 - found)).sum(-1).mean()
    assert logs["task_loss"] == pytest.approx(loss, rel=1e-4)
    assert logs["accuracy"] == pytest.approx(np.mean((found > 0.5) == (shares > 0.5)))
    with pytest.raises(ValueError, match="expected 0, 1 or a probability"):
        task.encode(Column(shares * 2, "y"))


def test_held_out_texts_are_drawn_from_the_most_probable_labels():
    strata = TASKS[0].strata(SHARES)
    np.testing.assert_array_equal(strata, [2, 1, 0] * 2)
    history = model_of(TASKS[0]).fit(
        TEXTS, SHARES, validation_split=0.5, class_weight="balanced", verbose=0
    )
    assert np.isfinite(history.history["val_loss"]).all()


@pytest.mark.parametrize("task", TASKS, ids=["classes", "levels"])
def test_packed_numbers_in_a_column_are_numbers(task):
    logs = []
    for numbers in (NUMBERS, NUMBERS[:, None]):
        model = model_of(task)
        packed = model.preprocessor(tf.constant(TEXTS), y=tf.constant(numbers))
        logs.append(keras.Model.test_on_batch(model, *packed, return_dict=True))
    for name, value in logs[0].items():
        np.testing.assert_allclose(logs[1][name], value, rtol=1e-6, err_msg=name)
