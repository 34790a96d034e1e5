import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax

from rigs.stable_ids import stable
from siatl_keras.losses import TaskLoss, task_loss

LOGITS = np.array([[2.0, -1.0, 0.5], [0.1, 0.2, -3.0], [1.0, 4.0, 1.5]], "float32")
LABELS = np.array([0, 2, 1])
ONE_HOT = np.eye(3)[LABELS]
LOGS = log_softmax(LOGITS, -1)
PROBABILITIES = softmax(LOGITS, -1)
CROSS_ENTROPY = -LOGS[range(3), LABELS].mean()
SMOOTHED = -((0.9 * ONE_HOT + 0.1 / 3) * LOGS).sum(-1).mean()
TRUE = PROBABILITIES[range(3), LABELS]
FOCAL = (0.25 * (1 - TRUE) ** 2 * -np.log(TRUE)).mean()


def of_own(y_true, y_pred):
    return keras.losses.sparse_categorical_crossentropy(
        y_true, y_pred, from_logits=True
    )


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("sparse_categorical_crossentropy", CROSS_ENTROPY),
        ("SparseCategoricalCrossentropy", CROSS_ENTROPY),
        ("crossentropy", CROSS_ENTROPY),
        ("categorical_crossentropy", CROSS_ENTROPY),
        ("kl_divergence", CROSS_ENTROPY),
        (keras.losses.sparse_categorical_crossentropy, CROSS_ENTROPY),
        (keras.losses.CategoricalCrossentropy, CROSS_ENTROPY),
        (keras.losses.SparseCategoricalCrossentropy(), CROSS_ENTROPY),
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), CROSS_ENTROPY),
        (
            {"class_name": "CategoricalCrossentropy", "config": {"from_logits": False}},
            CROSS_ENTROPY,
        ),
        (keras.losses.CategoricalCrossentropy(label_smoothing=0.1), SMOOTHED),
        (
            keras.losses.CategoricalCrossentropy(label_smoothing=0.1, from_logits=True),
            SMOOTHED,
        ),
        ("categorical_focal_crossentropy", FOCAL),
        (keras.losses.CategoricalFocalCrossentropy(from_logits=True), FOCAL),
        ("mse", ((PROBABILITIES - ONE_HOT) ** 2).mean()),
        ("mae", np.abs(PROBABILITIES - ONE_HOT).mean()),
        ("poisson", (PROBABILITIES - ONE_HOT * np.log(PROBABILITIES)).mean()),
        (
            keras.losses.CategoricalGeneralizedCrossEntropy(q=0.5),
            ((1 - TRUE**0.5) / 0.5).mean(),
        ),
        (
            "categorical_hinge",
            np.maximum(
                0, (LOGITS - 99 * ONE_HOT).max(-1) - LOGITS[range(3), LABELS] + 1
            ).mean(),
        ),
        (of_own, CROSS_ENTROPY),
    ],
    ids=stable,
)
def test_a_loss_is_computed_from_the_form_it_takes(loss, expected):
    function = task_loss(loss, 3)
    assert np.mean(function(LABELS, LOGITS)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("binary_crossentropy", lambda x: np.log1p(np.exp(-x))),
        (keras.losses.BinaryCrossentropy(), lambda x: np.log1p(np.exp(-x))),
        ("hinge", lambda x: np.maximum(0, 1 - x)),
        ("squared_hinge", lambda x: np.maximum(0, 1 - x) ** 2),
        (
            keras.losses.BinaryFocalCrossentropy(gamma=2),
            lambda x: (1 / (1 + np.exp(x))) ** 2 * np.log1p(np.exp(-x)),
        ),
    ],
    ids=stable,
)
def test_a_binary_loss_compares_the_logits_of_two_classes(loss, expected):
    logits, labels = LOGITS[:, :2], np.array([0, 1, 1])
    margin = (logits[:, 1] - logits[:, 0]) * (2 * labels - 1)
    received = float(task_loss(loss, 2)(labels, logits))
    assert received == pytest.approx(expected(margin).mean(), rel=1e-5)


def test_weights_reduction_name_and_arguments_are_the_losses_own():
    original = keras.losses.CategoricalCrossentropy(
        label_smoothing=0.1, reduction="sum", name="smooth"
    )
    loss = task_loss(original, 3)
    assert isinstance(loss, TaskLoss)
    assert (loss.name, loss.reduction) == ("smooth", "sum")
    each = -((0.9 * ONE_HOT + 0.1 / 3) * LOGS).sum(-1)
    received = float(loss(LABELS, LOGITS, np.array([1.0, 0.0, 2.0])))
    assert received == pytest.approx(each[0] + 2 * each[2], rel=1e-5)
    assert original.from_logits is False  # The user's own is left alone.


@pytest.mark.parametrize("loss", ["mse", "categorical_crossentropy", "kld"])
def test_the_loss_of_an_empty_batch_is_zero_in_a_graph(loss):
    function = task_loss(loss, 3)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None, 3], tf.float32),
        ]
    )
    def compute(labels, logits):
        return function(labels, logits)

    assert float(compute(tf.zeros([0], tf.int32), tf.zeros([0, 3]))) == 0.0


class FromProbabilities(keras.losses.Loss):
    from_logits = False

    def call(self, y_true, y_pred):
        return y_pred


class Subclass(keras.losses.CategoricalCrossentropy):
    pass


class OwnSubclass(keras.losses.CategoricalCrossentropy):
    def call(self, y_true, y_pred):
        return of_own(y_true, y_pred)


def test_subclasses_of_keras_losses_are_taken_by_who_computes():
    received = [
        float(task_loss(kind(from_logits=True), 3)(LABELS, LOGITS))
        for kind in (Subclass, OwnSubclass)
    ]
    assert received == pytest.approx([CROSS_ENTROPY] * 2, rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("sparse_crossentropy", "must be a loss of Keras.*'sparse_crossentropy'"),
        (3, "must be a loss of Keras.*loss=3"),
        ("mape", "cannot be mean_absolute_percentage_error, which compares no classes"),
        (keras.losses.Dice(), "cannot be Dice, which compares no classes"),
        (keras.losses.CTC(), "cannot be CTC"),
        ("bce", "tells two classes apart: the model has 3.*CategoricalCrossentropy"),
        (keras.losses.Hinge(), "cannot be Hinge, which tells two classes apart"),
        (
            FromProbabilities(),
            "FromProbabilities takes probabilities.*from_logits=True",
        ),
        (Subclass(), "Subclass takes probabilities.*from_logits=True"),
    ],
    ids=stable,
)
def test_a_loss_that_teaches_no_classes_is_refused_with_a_remedy(loss, message):
    with pytest.raises(ValueError, match=message):
        task_loss(loss, 3)


def test_a_loss_of_ones_own_gets_class_numbers_and_logits():
    class Own(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return y_pred[:, 0]

    own = Own()
    assert task_loss(own, 3) is own
    assert task_loss(of_own, 3) is of_own
