"""What `compile` takes, and what training and callbacks make of it."""

import copy
import pickle
import warnings

import keras
import numpy as np
import pytest
import sklearn.metrics as sk
import tensorflow as tf
from scipy.special import softmax

from siatl_keras.callbacks import GammaDecay, SequentialUnfreezing
from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.text import WordTokenizer
from siatl_keras.training import LanguageModelingLoss, LossMonitors, MacroF1

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
    true, predicted = model.label_ids(labels), positive > 0.5
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
    one_hot = np.eye(3)[model.label_ids(labels)]
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
    ids=lambda value: str(value)[:40],
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
                "built": [model._compile_metrics.built, model._compile_loss.built],
                "objects": [id(model.optimizer), id(model._compile_metrics)],
                "words": model.sampled_words,
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
    ids=str,
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
    stages = SequentialUnfreezing(2, 3, {2: "sgd"}, verbose=0)
    callbacks = [GammaDecay(0.4, 0.1, epochs=2), stages, WATCHING[0]("loss")]
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
    assert again.sampled_words == 5
    assert float(again.gamma.numpy()) == pytest.approx(0.05)
    assert evaluate(again, texts, labels) == pytest.approx(expected, rel=1e-4)
    config = again.get_compile_config()
    assert config["loss_weights"] == {"task": 0.5, "lm": 0.3}
    assert type(model.get_compile_config()["loss"]["task"]) is dict


# --- Callbacks that monitor a log -----------------------------------------------------


class Never(keras.callbacks.Callback):
    """Makes every epoch's logs worse, whatever was learned."""

    def __init__(self, name, step):
        super().__init__()
        self.name, self.step = name, step

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = 1.0 + self.step * epoch


DOWN = ("task_loss", "lm_loss", "perplexity")
UP = ("macro_f1", "accuracy", "auc")


@pytest.fixture(scope="module")
def compiled(three_classes):
    model, _ = three_classes
    model.compile("sgd", metrics=["accuracy", "auc", MacroF1(3)])
    return model


@pytest.mark.parametrize("prefix", ["", "val_"])
@pytest.mark.parametrize(
    ("name", "best"), [*((n, 1.0) for n in DOWN), *((n, 2.0) for n in UP)]
)
def test_callbacks_know_the_direction_of_every_log(
    compiled, name, best, prefix, tmp_path
):
    name = prefix + name
    monitors = [
        keras.callbacks.EarlyStopping(name, patience=9),
        keras.callbacks.ReduceLROnPlateau(name),
        keras.callbacks.ModelCheckpoint(
            tmp_path / "x.weights.h5", name, save_weights_only=True, save_best_only=True
        ),
    ]
    running = keras.callbacks.CallbackList([*monitors, LossMonitors()], model=compiled)
    running.on_train_begin()
    for epoch in (0, 1):
        running.on_epoch_end(epoch, {name: epoch + 1.0})
    assert [monitor.best for monitor in monitors] == [best] * 3


def test_early_stopping_on_the_task_loss_needs_no_mode(make_classifier, texts, labels):
    model = make_classifier()
    stopping = keras.callbacks.EarlyStopping("val_task_loss", patience=1)
    worse = Never("val_task_loss", 1.0)
    history = fit(model, texts, labels, 4, callbacks=[worse, stopping])
    assert len(history["loss"]) == 2
    assert stopping.best == 1.0


def changing_by_hand(epoch, logs):
    changing_by_hand.model.gamma.assign(0.1 / (epoch + 1))


WATCHING = keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau


@pytest.mark.parametrize(
    ("make_callbacks", "told"),
    [
        (lambda: [GammaDecay(), *(kind() for kind in WATCHING)], True),
        (lambda: [WATCHING[0]("loss"), GammaDecay(per="step")], True),
        (
            lambda: [
                WATCHING[0](patience=9),
                keras.callbacks.LambdaCallback(on_epoch_begin=changing_by_hand),
            ],
            True,
        ),
        (lambda: [GammaDecay(), WATCHING[0]("val_task_loss")], False),
        (lambda: [GammaDecay(0.1, 0.1), WATCHING[0]()], False),
        (lambda: [GammaDecay(), keras.callbacks.ModelCheckpoint("x.keras")], False),
        (lambda: [WATCHING[0]()], False),
    ],
    ids=["decay", "by step", "by hand", "task loss", "constant", "every epoch", "none"],
)
def test_who_monitors_the_total_loss_while_gamma_changes_is_told_once(
    compiled, texts, make_callbacks, told
):
    """The callbacks of two epochs, without the training in between."""
    changing_by_hand.model = compiled
    compiled.gamma.assign(0.2)
    running = keras.callbacks.CallbackList(
        [*make_callbacks(), LossMonitors()], add_history=True, model=compiled
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        running.on_train_begin()
        for epoch in (0, 1):
            running.on_epoch_begin(epoch)
            running.on_train_batch_begin(0)
    received = [str(w.message) for w in caught if "falling γ" in str(w.message)]
    assert len(received) == told
    if told:
        assert 'monitor="val_task_loss"' in received[0]


# --- What is trained after a change of the layers -------------------------------------


def test_layers_frozen_between_two_fits_do_not_learn(make_classifier, texts, labels):
    model = make_classifier()
    model.compile(keras.optimizers.Adam(0.01))
    fit(model, texts, labels)
    model.backbone.trainable = False
    before = [v.numpy() for v in model.backbone.weights]
    fit(model, texts, labels, callbacks=keras.callbacks.Callback())
    for old, new in zip(before, model.backbone.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_model_that_is_frozen_whole_is_refused(compiled, texts):
    compiled.trainable = False
    with pytest.raises(ValueError, match="nothing to learn"):
        compiled.make_train_function()
    compiled.trainable = True


def test_a_layer_thawed_after_the_optimizer_was_built_is_told(make_lm, texts):
    lm = make_lm()
    lm.backbone.token_embedding.trainable = False
    lm.fit(texts, batch_size=8, verbose=0)
    lm.backbone.token_embedding.trainable = True
    with pytest.raises(ValueError, match="no state for . weights.*Call `compile`"):
        lm.fit(texts, batch_size=8, verbose=0)


# --- Saving, copying, exporting -------------------------------------------------------


def test_copies_are_classifiers_of_their_own(make_classifier, texts, labels):
    model = make_classifier()
    model.gamma.assign(0.07)
    expected = model.predict(texts, verbose=0)
    again = copy.deepcopy(model)
    assert isinstance(again, SiATLClassifier)
    model.task_head.weights[0].assign_add(
        keras.ops.ones(model.task_head.weights[0].shape)
    )
    np.testing.assert_allclose(again.predict(texts, verbose=0), expected, atol=1e-6)
    assert float(again.gamma.numpy()) == pytest.approx(0.07)
    fresh = keras.models.model_from_json(model.to_json())
    assert fresh.get_config() == model.get_config()


def test_weights_alone_bring_gamma_with_them(make_classifier, tmp_path):
    model = make_classifier()
    model.gamma.assign(0.03)
    model.save_weights(tmp_path / "all.weights.h5")
    again = make_classifier()
    again.load_weights(tmp_path / "all.weights.h5")
    assert float(again.gamma.numpy()) == pytest.approx(0.03)


def test_cloning_is_refused_with_what_works_in_its_place(make_classifier, make_lm):
    for model in (make_classifier(), make_lm()):
        with pytest.raises(ValueError, match=r"`copy.deepcopy\(model\)`.*from_config"):
            keras.models.clone_model(model)


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5"])
def test_the_old_format_is_refused_before_a_file_is_touched(
    make_classifier, make_lm, tmp_path, name
):
    path = tmp_path / name
    for model in (make_classifier(), make_lm()):
        path.write_text("an older file")
        with pytest.raises(ValueError, match=r"old HDF5 format.*`.keras`"):
            model.save(path)
        assert path.read_text() == "an older file"
        with pytest.raises(ValueError, match=r"old HDF5 format.*`.keras`"):
            keras.saving.save_model(model, path)


def test_export_writes_the_classifier_that_is_served(
    make_classifier, texts, tmp_path, capsys
):
    model = make_classifier()
    model.export(tmp_path / "deep" / "served", verbose=True)
    assert "deep/served" in capsys.readouterr().out
    served = tf.saved_model.load(tmp_path / "deep" / "served")
    answer = served.signatures["serving_default"](text=tf.constant(texts))
    np.testing.assert_allclose(
        answer["probabilities"], probabilities(model, texts), atol=1e-5
    )
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["served"]


@pytest.mark.parametrize(
    "arguments", [{"format": "onnx"}, {"input_signature": [1]}], ids=str
)
def test_other_exports_are_refused_with_the_remedy(
    make_classifier, tmp_path, arguments
):
    with pytest.raises(ValueError, match="export_saved_model"):
        make_classifier().export(tmp_path / "x", **arguments)
    (tmp_path / "x").mkdir()
    with pytest.raises(ValueError, match="exists already"):
        make_classifier().export(tmp_path / "x")


def test_the_lm_loss_may_be_named(make_classifier):
    make_classifier().compile("sgd", {"task": "mse", "lm": LanguageModelingLoss()})
