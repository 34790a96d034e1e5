"""MultiLabel: rows of 0 and 1 from all that holds labels, their loss and thresholds."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, roc_auc_score

from siatl_keras.inputs import Column, validation_split
from siatl_keras.inputs.refusals import errors_of_rows
from siatl_keras.tasks import MultiLabel
from siatl_keras.tasks.label_thresholds import FEWEST

NAMES = ["anger", "joy", "surprise"]
TASK = MultiLabel(NAMES)
ROWS = [[0, 1, 1], [1, 0, 0], [0, 0, 0]]
RANDOM = np.random.default_rng(0)
TARGETS = RANDOM.integers(0, 2, (50, 3)).astype("float32")
LOGITS = (RANDOM.normal(size=(50, 3)) + TARGETS).astype("float32")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label_names": ["a,b", "c"]}, "must not hold commas.*'a,b'"),
        ({"label_names": ["a"]}, "two at least"),
        ({"label_names": ["a", "b"], "thresholds": [0.5]}, "one for each of the 2"),
        ({"label_names": ["a", "b"], "thresholds": 1.0}, "above 0 and below 1"),
        ({"label_names": ["a", "b"], "thresholds": [0.5, np.nan]}, "above 0 and below"),
    ],
)
def test_wrong_names_and_thresholds_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        MultiLabel(**arguments)


def crossentropy(logits, targets):
    return np.logaddexp(0, logits) - targets * logits  # [texts, labels]


def of_own(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("auto", crossentropy(LOGITS, TARGETS).sum(1).mean()),
        ("binary_crossentropy", crossentropy(LOGITS, TARGETS).mean()),
        (keras.losses.BinaryCrossentropy(), crossentropy(LOGITS, TARGETS).mean()),
        (
            keras.losses.BinaryCrossentropy(from_logits=True),
            crossentropy(LOGITS, TARGETS).mean(),
        ),
        ("hinge", np.maximum(0, 1 - (2 * TARGETS - 1) * LOGITS).mean()),
        (of_own, np.square(TARGETS - LOGITS).mean()),
    ],
    ids=["auto", "name", "probabilities", "logits", "hinge", "own"],
)
def test_losses_are_computed_from_logits(loss, expected):
    made = TASK.loss(loss)
    assert np.mean(made(TARGETS, LOGITS)) == pytest.approx(expected, rel=1e-5)


def test_the_loss_weighs_texts():
    weights = np.arange(50.0)
    losses = crossentropy(LOGITS, TARGETS).sum(1)
    received = float(TASK.loss("auto")(TARGETS, LOGITS, weights))
    assert received == pytest.approx(np.mean(losses * weights), rel=1e-5)
    assert TASK.mean_loss(TARGETS, LOGITS) == pytest.approx(losses.mean(), rel=1e-5)


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "mse", "what", 3])
def test_losses_of_other_targets_are_refused(loss):
    with pytest.raises(ValueError, match="`loss`"):
        TASK.loss(loss)


def value(metric, parts=3):
    made = TASK.metric(metric)
    for targets, logits in zip(
        np.array_split(TARGETS, parts), np.array_split(LOGITS, parts), strict=True
    ):
        made.update_state(targets, logits)
    return float(made.result())


def test_metrics_over_several_batches_are_scikit_learn_s():
    said = (LOGITS > 0).astype(int)
    for metric in TASK.default_metrics():
        average = metric.name.removesuffix("_f1")
        expected = f1_score(TARGETS, said, average=average)
        assert value(metric) == pytest.approx(expected, abs=1e-6)
    assert [metric.name for metric in TASK.default_metrics()] == [
        "macro_f1",
        "micro_f1",
    ]
    assert value("accuracy") == pytest.approx((said == TARGETS).mean())
    auc = keras.metrics.AUC(multi_label=True, num_labels=3, num_thresholds=5000)
    assert value(auc) == pytest.approx(roc_auc_score(TARGETS, LOGITS), abs=0.01)
    auc = keras.metrics.AUC(num_thresholds=5000, from_logits=True)
    expected = roc_auc_score(TARGETS.ravel(), LOGITS.ravel())
    assert value(auc) == pytest.approx(expected, abs=0.01)


def best_f1(is_label, logits):
    """The best F1 that any threshold has, tried one by one."""
    edges = np.arange(-5, 5) + 0.5
    return max(f1_score(is_label, logits > edge, zero_division=0) for edge in edges)


@settings(max_examples=40, deadline=None)
@given(
    arrays("int64", (9, 2), elements=st.integers(0, 1)),
    arrays("int64", (9, 2), elements=st.integers(-4, 4)),
)
def test_no_threshold_is_better_than_the_tuned_one(targets, logits):
    task = MultiLabel(["a", "b"])
    targets, logits = (np.tile(rows, (5, 1)) for rows in (targets, logits))
    tuned = task.tuned_on(targets, logits.astype("float32"))
    probabilities = tuned.probabilities(logits)
    for label, threshold in enumerate(tuned.thresholds):
        is_label = targets[:, label]
        if not is_label.any():
            assert threshold == 0.5
            continue
        reached = f1_score(is_label, probabilities[:, label] > threshold)
        assert reached == pytest.approx(best_f1(is_label, logits[:, label]))


def test_of_equally_good_thresholds_the_one_nearest_to_a_half_is_taken():
    targets = np.array([[1, 0], [0, 1]])
    logits = np.array([[3.0, -3.0], [-3.0, 3.0]])
    assert MultiLabel(["a", "b"]).tuned_on(targets, logits).thresholds == [0.5, 0.5]


def test_no_label_is_all_held_out():
    random = np.random.default_rng(1)
    targets = (
        random.random((60, 8)) < [0.5, 0.3, 0.1, 0.1, 0.05, 0.05, 0.05, 0.5]
    ) * 1.0
    targets[:2] = np.eye(8)[4:6]
    strata = TASK.strata(targets)
    training, held_out = validation_split(strata, 0.25, stratified=True)
    assert len(held_out) == 15
    assert (targets[training].sum(0) >= np.minimum(1, targets.sum(0))).all()


def test_all_ways_out_have_the_same_labels():
    task = MultiLabel(NAMES, [0.4, 0.5, 0.7])
    served = tf.function(task.served)(LOGITS)
    answers = task.answers(LOGITS)
    joined = [text.decode() for text in served["labels"].numpy()]
    assert joined == [",".join(labels) for labels in answers]
    is_label = served["is_label"].numpy()
    np.testing.assert_array_equal(
        is_label, task.probabilities(LOGITS) > np.array([0.4, 0.5, 0.7])
    )
    assert 0 < is_label.mean() < 1 and [] in answers
    rows = task.answer_rows(LOGITS)
    assert [row["labels"] for row in rows] == answers
    assert list(rows[0]["probabilities"]) == NAMES
    assert task.answer_columns == ["labels", *NAMES]


RAGGED = tf.ragged.constant([["joy", "surprise"], ["anger"], []])


@pytest.mark.parametrize(
    "labels",
    [["joy, surprise", "anger", ""], RAGGED, ROWS, np.array(ROWS, bool)],
    ids=["strings", "ragged", "rows", "bool"],
)
def test_datasets_are_encoded_alike(labels):
    dataset = tf.data.Dataset.from_tensor_slices(labels)
    ragged = isinstance(labels, tf.RaggedTensor)
    dataset = dataset.ragged_batch(3) if ragged else dataset.batch(3)
    encode = TASK.graph_encoder(dataset.element_spec, "x")
    (encoded,) = list(dataset.map(encode))
    assert encoded.numpy().tolist() == ROWS


def test_datasets_of_empty_rows_are_rows_of_0():
    dataset = tf.data.Dataset.from_tensor_slices(["", ""]).batch(2)
    encode = TASK.graph_encoder(dataset.element_spec, "x")
    assert next(iter(dataset.map(encode))).numpy().tolist() == [[0, 0, 0]] * 2


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["joy", "fear,joy"], "`x` holds the label fear, which is none of"),
        ([[0, 1, 2]], "`x` holds rows of labels that are not between 0 and 1"),
    ],
)
def test_wrong_rows_of_datasets_end_the_iteration(labels, message):
    dataset = tf.data.Dataset.from_tensor_slices(labels).batch(2)
    encode = TASK.graph_encoder(dataset.element_spec, "x")
    with pytest.raises(ValueError, match=message), errors_of_rows():
        list(dataset.map(encode))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (tf.TensorSpec([None, 2], tf.float32), "a column for each of the 3 labels"),
        (tf.TensorSpec([None], tf.int32), "strings .batch. such as"),
        (tf.TensorSpec([None, 3], tf.string), "strings .batch. such as"),
        ((tf.TensorSpec([None], tf.int32),), "must be a tensor"),
    ],
)
def test_datasets_of_another_form_are_refused(spec, message):
    with pytest.raises(ValueError, match=message):
        TASK.graph_encoder(spec, "x")


def test_a_class_weight_is_refused():
    with pytest.raises(ValueError, match="MultiLabel has no single class"):
        TASK.class_weights("balanced", TARGETS)
    with pytest.raises(ValueError, match="MultiLabel has no single class"):
        TASK.linear_model(1.0, "balanced")


def test_the_linear_model_tells_labels_apart_also_those_of_no_text():
    targets = np.stack([TARGETS[:, 0], 0 * TARGETS[:, 0], 0 * TARGETS[:, 0] + 1], -1)
    model = TASK.linear_model(100.0).fit(LOGITS * 3, targets)
    outputs = TASK.linear_outputs(model, LOGITS * 3)
    assert ((outputs[:, 0] > 0) == targets[:, 0]).mean() > 0.6
    assert (outputs[:, 1] < -10).all() and (outputs[:, 2] > 10).all()
    report = TASK.report(targets, outputs)
    assert report.support[1:] == [0, 50]
    predictions = TASK.predictions(targets, outputs)
    np.testing.assert_array_equal(predictions.targets, targets)


@pytest.mark.parametrize("thresholds", [["x", 0.5], [None, 0.5], [True, 0.5], 1e-60])
def test_thresholds_that_are_no_numbers_of_float32_are_refused(thresholds):
    with pytest.raises(ValueError, match="`thresholds` must be above 0 and below 1"):
        MultiLabel(["a", "b"], thresholds)


def test_one_threshold_is_that_of_all_labels():
    expected = MultiLabel(["a", "b"], [0.25, 0.25])
    assert MultiLabel(["a", "b"], 0.25) == expected
    assert MultiLabel(["a", "b"], np.float32(0.25)) == expected


@given(st.integers(1, 30), st.integers(2, 5), st.integers(0, 999), st.booleans())
def test_f1_of_random_batches_is_scikit_learn_s(texts, labels, seed, weighted):
    random = np.random.default_rng(seed)
    targets = random.integers(0, 2, (texts, labels)).astype("float32")
    logits = random.normal(size=(texts, labels)).astype("float32")
    weights = random.uniform(0.1, 2, texts).astype("float32") if weighted else None
    task = MultiLabel([str(label) for label in range(labels)])
    for metric in task.default_metrics():
        made = task.metric(metric)
        for rows in np.array_split(np.arange(texts), 3):
            part = None if weights is None else weights[rows]
            made.update_state(targets[rows], logits[rows], part)
        expected = f1_score(
            targets.astype(int),
            (logits > 0).astype(int),
            average=made.name.removesuffix("_f1"),
            sample_weight=weights,
            zero_division=0,
        )
        assert float(made.result()) == pytest.approx(expected, abs=1e-5)


def test_a_function_of_one_s_own_gets_targets_and_logits():
    def own(y_true, y_pred):
        return keras.ops.sum(y_true * y_pred, -1)

    assert TASK.metric(own) is own
    with pytest.raises(ValueError, match="`metrics` must hold metrics of Keras"):
        TASK.metric("what")


@settings(max_examples=40, deadline=None)
@given(
    arrays("int64", (7, 2), elements=st.integers(0, 1)),
    arrays("int64", (7, 2), elements=st.integers(-60, 12)),
)
def test_no_threshold_gives_better_answers_however_small_probabilities_are(
    targets, logits
):
    targets, logits = (np.tile(rows, (5, 1)) for rows in (targets, logits))
    logits = logits.astype("float32")
    tuned = MultiLabel(["a", "b"]).tuned_on(targets, logits)
    served = tuned.served(logits)["is_label"].numpy()
    for label in range(2):
        is_label, values = targets[:, label], logits[:, label]
        edges = [-100.0, 0.0, *values]
        best = max(f1_score(is_label, values > edge, zero_division=0) for edge in edges)
        reached = f1_score(is_label, served[:, label], zero_division=0)
        assert reached == pytest.approx(best)


def test_equal_outputs_are_answered_alike_wherever_they_stand():
    # In a batch of 9, float32 sigmoids of one number need not be equal.
    logits = np.full((9, 2), -2.0, "float32")
    targets = np.zeros((9, 2))
    targets[:5] = 1
    tuned = MultiLabel(["a", "b"]).tuned_on(targets, logits)
    assert tuned.answers(logits) == [["a", "b"]] * 9
    near = logits.copy()
    near[::2] = np.nextafter(near[::2], np.float32(0))
    tuned = MultiLabel(["a", "b"]).tuned_on((near > -2.0) * 1.0, near)
    assert tuned.answers(near) == [["a", "b"]] * 9


def test_a_threshold_lies_below_texts_that_are_sure():
    targets = np.array([[1, 1], [0, 0]] * 5)
    logits = np.array([[50.0, 50.0], [3.0, 3.0]] * 5)
    tuned = MultiLabel(["a", "b"]).tuned_on(targets, logits)
    assert tuned.answers(logits) == [["a", "b"], []] * 5


def test_a_label_of_few_held_out_texts_keeps_a_half():
    targets = (np.arange(40)[:, None] < [FEWEST, FEWEST - 1]).astype("float32")
    tuned = MultiLabel(["a", "b"]).tuned_on(targets, targets * 2 - 4)
    assert tuned.thresholds[0] < 0.5 and tuned.thresholds[1] == 0.5


# However far a temperature brings them together, all are 1 or 0.
@pytest.mark.parametrize("logit", [1e4, -1e4, np.nan])
def test_outputs_that_no_threshold_tells_apart_leave_it_at_a_half(logit):
    outputs = np.full((5, 2), logit, "float32")
    tuned = MultiLabel(["a", "b"]).tuned_on(np.ones((5, 2)), outputs)
    assert tuned.thresholds == [0.5, 0.5]


@given(st.lists(st.sets(st.sampled_from(NAMES)), min_size=1, max_size=6))
def test_all_forms_of_datasets_are_encoded_as_lists_are(labels):
    rows = [sorted(labels_of_row) for labels_of_row in labels]
    expected = TASK.encode(Column(labels, "y")).tolist()
    forms = [
        tf.constant([",".join(row) for row in rows]),
        tf.ragged.constant(rows, dtype=tf.string, ragged_rank=1),
        tf.cast(expected, tf.int64),
    ]
    for form in forms:
        dataset = tf.data.Dataset.from_tensors(form)
        encode = TASK.graph_encoder(dataset.element_spec, "x")
        assert encode(form).numpy().tolist() == expected
