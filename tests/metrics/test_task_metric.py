import keras
import numpy as np
import pytest
import sklearn.metrics as sk
import tensorflow as tf
from scipy.special import softmax

from siatl_keras.metrics import MacroF1, TaskMetric, task_metric

RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.random(60).astype("float32")
LABELS = {count: RANDOM.integers(0, count, 60) for count in (2, 3)}
LOGITS = {
    count: (2 * np.eye(count)[labels] + RANDOM.normal(size=(60, count)) * 2).astype(
        "float32"
    )
    for count, labels in LABELS.items()
}


def value_of(metric, classes, weights=None):
    """Two batches and an empty one, in a graph, as in training."""
    shaped = task_metric(metric, classes)

    @tf.function(reduce_retracing=True)
    def update(labels, logits, weights):
        shaped.update_state(labels, logits, weights)

    given = np.ones(60, "float32") if weights is None else weights
    for rows in (slice(0, 20), slice(20, 20), slice(20, None)):
        update(
            tf.constant(LABELS[classes][rows]),
            tf.constant(LOGITS[classes][rows]),
            tf.constant(given[rows]),
        )
    return np.asarray(shaped.result())


def of_labels(function, **kwargs):
    return lambda y, p, w: function(y, p.argmax(-1), sample_weight=w, **kwargs)


def one_hot(y, p):
    return np.eye(p.shape[1])[y]


def above(y, p, w):
    """Of each class against the others: what is true, and predicted, and weights."""
    return one_hot(y, p).ravel(), (p > 0.5).ravel(), np.repeat(w, p.shape[1])


def log_loss(y, p, w):
    return sk.log_loss(y, p, sample_weight=w)


BOTH = {
    "accuracy": of_labels(sk.accuracy_score),
    "acc": of_labels(sk.accuracy_score),
    "Accuracy": of_labels(sk.accuracy_score),
    "categorical_accuracy": of_labels(sk.accuracy_score),
    "sparse_categorical_accuracy": of_labels(sk.accuracy_score),
    "f1_score": of_labels(sk.f1_score, average=None),
    "sparse_categorical_crossentropy": log_loss,
    "categorical_crossentropy": log_loss,
    "kl_divergence": log_loss,
    "mse": lambda y, p, w: np.average(((p - one_hot(y, p)) ** 2).mean(-1), weights=w),
}
TWO = {
    "auc": lambda y, p, w: sk.roc_auc_score(y, p[:, 1], sample_weight=w),
    "precision": of_labels(sk.precision_score),
    "recall": of_labels(sk.recall_score),
    "binary_accuracy": of_labels(sk.accuracy_score),
    "binary_crossentropy": log_loss,
    "true_positives": lambda y, p, w: (w * y * (p[:, 1] > 0.5)).sum(),
}
THREE = {
    "auc": lambda y, p, w: sk.roc_auc_score(
        one_hot(y, p).ravel(), p.ravel(), sample_weight=np.repeat(w, 3)
    ),
    "precision": lambda y, p, w: sk.precision_score(
        *above(y, p, w)[:2], sample_weight=above(y, p, w)[2]
    ),
    "recall": lambda y, p, w: sk.recall_score(
        *above(y, p, w)[:2], sample_weight=above(y, p, w)[2]
    ),
    "binary_crossentropy": lambda y, p, w: np.average(
        -np.log(np.where(one_hot(y, p) == 1, p, 1 - p)).mean(-1), weights=w
    ),
}
CASES = [
    (classes, name, expected)
    for classes, table in ((2, {**BOTH, **TWO}), (3, {**BOTH, **THREE}))
    for name, expected in table.items()
]


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize(("classes", "name", "expected"), CASES)
def test_metrics_by_name_equal_scikit_learns(classes, name, expected, weights):
    given = np.ones(60) if weights is None else weights
    right = expected(LABELS[classes], softmax(LOGITS[classes], -1), given)
    # Keras's area under the curve is of 200 thresholds, its F1 has an epsilon.
    tolerance = 0.01 if name == "auc" else 1e-5
    assert value_of(name, classes, weights) == pytest.approx(right, abs=tolerance)


M = keras.metrics
PLAIN_F1 = sk.f1_score(LABELS[3], LOGITS[3].argmax(-1), average="macro")


@pytest.mark.parametrize(
    ("metric", "classes", "expected"),
    [
        (M.F1Score(average="macro"), 3, PLAIN_F1),
        (MacroF1(3), 3, PLAIN_F1),
        (M.Precision(class_id=0), 2, "precision of class 0"),
        (M.SparseTopKCategoricalAccuracy(k=2), 3, "top 2"),
        (M.TopKCategoricalAccuracy(k=2), 3, "top 2"),
        (M.Recall(top_k=2), 3, "top 2"),
        (M.MeanIoU(num_classes=3), 3, "mean IoU"),
        (M.OneHotMeanIoU(num_classes=3), 3, "mean IoU"),
    ],
    ids=str,
)
def test_metrics_with_arguments_keep_their_meaning(metric, classes, expected):
    labels, logits = LABELS[classes], LOGITS[classes]
    best = logits.argmax(-1)
    right = {
        "precision of class 0": lambda: sk.precision_score(labels, best, pos_label=0),
        "top 2": lambda: sk.top_k_accuracy_score(labels, logits, k=2),
        "mean IoU": lambda: sk.jaccard_score(labels, best, average="macro"),
    }
    right = right[expected]() if isinstance(expected, str) else expected
    assert value_of(metric, classes) == pytest.approx(right, abs=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    "kind",
    [
        M.AUC,
        M.BinaryCrossentropy,
        M.CategoricalCrossentropy,
        M.SparseCategoricalCrossentropy,
    ],
)
def test_metrics_of_logits_and_of_probabilities_agree(kind, classes):
    received = [value_of(kind(from_logits=way), classes) for way in (False, True)]
    assert received[0] == pytest.approx(received[1], abs=1e-5)


def test_names_and_directions_are_what_keras_users_expect():
    names = ("auc", "AUC", "acc", M.categorical_accuracy, M.AUC(name="mine"))
    made = [task_metric(name, 2) for name in names]
    assert [m.name for m in made] == [
        "auc",
        "AUC",
        "acc",
        "categorical_accuracy",
        "mine",
    ]
    assert {m._direction for m in made} == {"up"}
    assert task_metric("mse", 2)._direction == "down"
    # Keras does not know whether many are good, and neither do we.
    assert not hasattr(task_metric(M.FalsePositives(), 2), "_direction")


def test_reset_and_variables_reach_the_users_own_object():
    recall = M.Recall()
    shaped = task_metric(recall, 2)
    assert isinstance(shaped, TaskMetric)
    shaped.update_state([1], [[0.0, 3.0]])
    assert float(recall.result()) == 1.0
    assert [v.path for v in shaped.variables] == [v.path for v in recall.variables]
    shaped.reset_state()
    assert float(recall.result()) == 0.0


class OwnF1(M.F1Score):
    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(keras.ops.one_hot(y_true, 3), y_pred, sample_weight)


def of_own(y_true, y_pred):
    return keras.ops.cast(y_true == keras.ops.argmax(y_pred, -1), "float32")


def test_metrics_of_ones_own_get_class_numbers_and_logits():
    for metric in (OwnF1(), of_own, M.MeanMetricWrapper(of_own), M.Mean()):
        assert task_metric(metric, 3) is metric


class FromProbabilities(M.Metric):
    from_logits = False

    def update_state(self, y_true, y_pred, sample_weight=None):
        pass


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("macro-f1", "`metrics` must hold metrics of Keras.*'macro-f1'"),
        (None, "Received: None"),
        (0.5, "Received: 0.5"),
        (FromProbabilities(), "takes probabilities.*from_logits=True"),
    ],
    ids=str,
)
def test_what_is_no_metric_of_classes_is_refused(metric, message):
    with pytest.raises(ValueError, match=message):
        task_metric(metric, 2)
