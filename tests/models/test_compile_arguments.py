"""What `compile` takes, refuses and leaves behind."""

import pickle

import keras
import numpy as np
import pytest
import sklearn.metrics as sk
from scipy.special import softmax

from rigs.stable_ids import stable
from siatl_keras.callbacks import GammaDecay, SequentialUnfreezing
from siatl_keras.inputs import Column
from siatl_keras.metrics import MacroF1
from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.plans import stages
from siatl_keras.text import WordTokenizer

WEIGHTS = np.array([1.0, 2.0, 0.5, 1.0, 0.0, 3.0, 1.0, 1.0], "float32")


def evaluate(model, texts, labels, **kwargs):
    return model.evaluate(texts, labels, return_dict=True, verbose=0, **kwargs)


def probabilities(model, texts):
    return softmax(model.predict(texts, verbose=0), -1)


def fit(model, texts, labels, epochs=1, **kwargs):
    return model.fit(
        texts, labels, batch_size=8, epochs=epochs, verbose=0, **kwargs
    ).history


def with_opinions(model):
    """A model without training gives all texts nearly the same scores; not so this."""
    for weight in model.task_head.weights:
        weight.assign(weight.numpy() * 5)
    return model


# --- Losses and metrics ---------------------------------------------------------------


def test_a_loss_by_name_trains_on_logits(make_classifier, texts, labels):
    expected = evaluate(make_classifier(), texts, labels)["task_loss"]
    for loss in (
        "sparse_categorical_crossentropy",
        {"task": "binary_crossentropy"},
        ["kl_divergence", "auto"],
    ):
        model = make_classifier()
        model.compile("sgd", loss)
        assert evaluate(model, texts, labels)["task_loss"] == pytest.approx(
            expected, rel=1e-4
        )


def test_metrics_of_two_classes_are_reported_by_their_names(
    make_classifier, texts, labels
):
    model = with_opinions(make_classifier())
    auc = keras.metrics.AUC(num_thresholds=20_000, name="auc")
    model.compile(
        "sgd",
        keras.losses.CategoricalCrossentropy(label_smoothing=0.2),
        metrics={"task": [auc, "recall", keras.metrics.F1Score(name="f1")]},
        weighted_metrics=["accuracy", keras.metrics.Precision(name="p")],
    )
    figures = evaluate(model, texts, labels, sample_weight=WEIGHTS)
    positive = probabilities(model, texts)[:, 1]
    true, predicted = model.task.encode(Column(labels, "y")), positive > 0.5
    smooth = 0.8 * np.eye(2)[true] + 0.1
    logs = np.log(np.stack([1 - positive, positive], -1))
    assert figures["task_loss"] == pytest.approx(
        (WEIGHTS * -(smooth * logs).sum(-1)).mean(), rel=1e-4
    )
    assert figures["auc"] == pytest.approx(sk.roc_auc_score(true, positive), abs=0.01)
    assert figures["recall"] == pytest.approx(sk.recall_score(true, predicted))
    assert figures["f1"] == pytest.approx(
        sk.f1_score(true, predicted, average=None), abs=1e-5
    )
    assert figures["accuracy"] == pytest.approx(
        sk.accuracy_score(true, predicted, sample_weight=WEIGHTS)
    )
    assert figures["p"] == pytest.approx(
        sk.precision_score(true, predicted, sample_weight=WEIGHTS, zero_division=0)
    )
    assert set(figures) == {
        *("loss", "task_loss", "lm_loss", "perplexity"),
        *("auc", "recall", "f1", "accuracy", "p"),
    }


def test_metrics_of_three_classes_train_and_validate(make_classifier, texts):
    model = with_opinions(make_classifier(label_names=["a", "b", "c"]))
    labels = list("abcabcab")
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.CategoricalFocalCrossentropy(),
        metrics=["auc", "precision", MacroF1(3)],
    )
    history = fit(model, texts, labels, validation_data=(texts, labels))
    one_hot = np.eye(3)[model.task.encode(Column(labels, "y"))]
    expected = sk.roc_auc_score(one_hot.ravel(), probabilities(model, texts).ravel())
    assert history["val_auc"] == pytest.approx([expected], abs=0.01)
    assert {"auc", "precision", "macro_f1", "val_precision"} <= set(history)


def of_own(y_true, y_pred):
    assert len(y_true.shape) == 1
    assert y_pred.shape[-1] == 2
    return keras.losses.sparse_categorical_crossentropy(
        y_true, y_pred, from_logits=True
    )


def test_functions_of_ones_own_get_class_numbers_and_logits(
    make_classifier, texts, labels
):
    model = make_classifier()
    model.compile("sgd", of_own, metrics=[of_own], weighted_metrics=[of_own])
    figures = evaluate(model, texts, labels)
    assert figures["of_own"] == pytest.approx(figures["task_loss"], rel=1e-5)
    assert figures["weighted_of_own"] == pytest.approx(figures["task_loss"], rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": None}, "`loss` must be a loss of the task"),
        ({"loss": {"lm": "mse"}}, "`loss` of the output 'lm' is always the mean"),
        ({"loss": {"task": "mse", "ml": "mse"}}, "a dict with the model's outputs"),
        ({"loss": ["mse"]}, "`loss` must be a dict"),
        ({"loss": "bce"}, "tells two classes apart"),
        ({"loss": lambda y, p: y + p}, "`loss`: .* cannot be computed from class"),
        ({"metrics": "macro-f1"}, "`metrics` must hold metrics of Keras"),
        ({"metrics": {"lm": ["accuracy"]}}, "`metrics` of the output 'lm'.*perplexity"),
        ({"metrics": {"tasks": []}}, "`metrics` must be a dict with the model's"),
        ({"metrics": [["accuracy"], []]}, "`metrics` must be one list"),
        ({"metrics": [keras.metrics.AUC(name="perplexity")]}, "named 'perplexity'"),
        (
            {
                "metrics": [
                    keras.metrics.AUC(multi_label=True, num_labels=7, name="area")
                ]
            },
            "`metrics`: 'area' cannot be computed",
        ),
        ({"weighted_metrics": [3]}, "must hold metrics of Keras"),
        ({"optimizer": "sdg"}, "sdg"),
        ({"sampled_words": 1}, "`sampled_words`"),
        ({"loss_weights": {"task": 1, "lm": -0.1}}, "must be a number from 0 up"),
        ({"loss_weights": {"task": np.nan}}, r"\['task'\]` must be a number.*nan"),
        ({"loss_weights": {"lm": float("inf")}}, r"\['lm'\]` must be a number.*inf"),
        ({"loss_weights": {"lm": "0.1x"}}, r"\['lm'\]` must be a number.*'0.1x'"),
        ({"loss_weights": {"gamma": 0.1}}, "outputs 'task' and 'lm'"),
        ({"loss_weights": 0.1}, "`loss_weights` must be a dict"),
        ({"loss_weights": [1.0, 0.1, 0.2]}, "`loss_weights` must be a dict"),
        ({"loss_weights": [1.0, keras.Variable(0.1)]}, "assign `model.gamma`"),
        ({"lossweights": [1.0, 0.1]}, "lossweights"),
    ],
    ids=lambda value: stable(value)[:40],
)
def test_a_compilation_that_fails_says_why_and_changes_nothing(
    three_classes, arguments, message
):
    model, state = three_classes
    with pytest.raises((TypeError, ValueError), match=message):
        model.compile(**{"optimizer": "adam", "sampled_words": 5, **arguments})
    assert state(model) == state.expected


@pytest.fixture(scope="module")
def three_classes():
    words = ["<pad>", "<s>", "</s>", "<unk>", "good", "bad"]
    model = SiATLClassifier(
        LSTMBackbone(len(words), embedding_dim=4, hidden_dim=4, num_layers=1),
        num_classes=3,
        preprocessor=SiATLPreprocessor(WordTokenizer(words)),
        units=3,
    )
    model.compile("sgd", "mse", metrics=["auc"], loss_weights=[2.0, 0.3])

    class State:
        def __call__(self, model):
            return {
                "config": str(model.get_compile_config()),
                "metrics": [m.name for m in model.metrics],
                "objects": [id(model.optimizer), id(model.joint_loss)],
                "words": model.compile_arguments["sampled_words"],
                "gamma": float(model.gamma.numpy()),
            }

    state = State()
    state.expected = state(model)
    return model, state


def test_after_a_compilation_that_failed_the_model_trains_as_before(
    make_classifier, texts, labels
):
    histories = []
    for attempt in (False, True):
        model = make_classifier()
        model.compile(keras.optimizers.Adam(0.01), metrics=["auc"])
        if attempt:
            with pytest.raises(ValueError):
                model.compile("sgd", "mse", metrics=["auc", 3])
        keras.utils.set_random_seed(0)
        histories.append(fit(model, texts, labels))
    assert histories[0] == histories[1]


# --- The weights of the two losses ----------------------------------------------------


@pytest.mark.parametrize(
    ("given", "task", "lm"),
    [
        ({"task": 1, "lm": 0.1}, 1.0, 0.1),
        ([0.5, 0.3], 0.5, 0.3),
        ({"lm": np.float32(0.7)}, 1.0, 0.7),
        ({"task": 2.0}, 2.0, 0.2),
        ("gamma", 1.0, 0.2),
    ],
    ids=stable,
)
def test_loss_weights_weigh_both_losses_and_set_gamma(
    make_classifier, texts, labels, given, task, lm
):
    model = make_classifier()
    if given == "gamma":
        given = {"task": 1.0, "lm": model.gamma}
    model.compile("sgd", loss_weights=given)
    assert float(model.gamma.numpy()) == pytest.approx(lm)
    figures = evaluate(model, texts, labels)
    expected = task * figures["task_loss"] + lm * figures["lm_loss"]
    assert figures["loss"] == pytest.approx(expected, rel=1e-5)


def test_a_stages_optimizer_leaves_gamma_where_the_decay_put_it(
    make_classifier, texts, labels
):
    model = make_classifier()
    model.compile("sgd", loss_weights={"task": 1.0, "lm": 0.9})
    unfreezing = SequentialUnfreezing(stages(2, 3, optimizers={2: "sgd"}))
    callbacks = [
        GammaDecay(0.4, 0.1, epochs=2),
        unfreezing,
        keras.callbacks.EarlyStopping("loss"),
    ]
    with pytest.warns(UserWarning, match="falling γ.*val_task_loss"):
        history = fit(model, texts, labels, 2, callbacks=callbacks)
    assert history["gamma"] == pytest.approx([0.4, 0.1])


def test_plain_transfer_evaluates_what_it_trains_on(make_classifier, texts, labels):
    model = make_classifier(auxiliary_loss=False)
    figures = evaluate(model, texts, labels)
    assert figures["loss"] == pytest.approx(figures["task_loss"])
    with pytest.raises(ValueError, match="built with auxiliary_loss=False"):
        model.compile(loss_weights=[1.0, 0.1])


def test_what_was_compiled_is_saved_and_comes_back(make_classifier, texts, labels):
    model = make_classifier()
    model.compile(
        keras.optimizers.Adam(0.01),
        {"task": keras.losses.CategoricalCrossentropy(label_smoothing=0.1)},
        loss_weights={"task": 0.5, "lm": 0.3},
        metrics=["acc", keras.metrics.AUC(name="area")],
        weighted_metrics={"task": ["recall"]},
        sampled_words=5,
    )
    model.gamma.assign(0.05)
    expected = evaluate(model, texts, labels)
    again = pickle.loads(pickle.dumps(model))
    assert again.compile_arguments["sampled_words"] == 5
    assert float(again.gamma.numpy()) == pytest.approx(0.05)
    assert evaluate(again, texts, labels) == pytest.approx(expected, rel=1e-4)
    config = again.get_compile_config()
    assert config["loss_weights"] == {"task": 0.5, "lm": 0.3}
    assert type(model.get_compile_config()["loss"]["task"]) is dict


def test_the_lm_loss_may_be_named(make_classifier):
    make_classifier().compile("sgd", {"task": "mse", "lm": "auto"})
