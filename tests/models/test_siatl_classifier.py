import warnings
import zipfile

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from rigs.round_trips import through_keras_file, through_preset
from rigs.step_losses import loss_of_logits, step_losses, total_gradients
from rigs.three_stages import ULMFIT, fit
from siatl_keras.callbacks import SequentialUnfreezing
from siatl_keras.inputs import Column
from siatl_keras.models import SiATLClassifier
from siatl_keras.optimizers import GroupedOptimizer
from siatl_keras.optimizers.groups import groups_of
from siatl_keras.plans import stages


def values_of(model):
    return {
        name: [variable.numpy() for variable in group]
        for name, group in groups_of(model).variables.items()
    }


def has_changed(before, after):
    return {
        name: any(
            (a != b).any() for a, b in zip(before[name], after[name], strict=True)
        )
        for name in before
    }


def test_outputs_are_task_and_lm_logits(make_classifier, texts):
    model = make_classifier()
    outputs = model(model.preprocessor(texts))
    assert outputs["task"].shape == (8, 2)
    assert outputs["lm"].shape == (8, 9, 20)


TIED = pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])


@TIED
def test_only_the_groups_of_the_stage_change(make_classifier, texts, labels, tied):
    model = make_classifier(backbone={"tie_weights": tied})
    model.compile(
        GroupedOptimizer(
            {
                "task": keras.optimizers.Adam(0.01),
                "backbone": (sgd := keras.optimizers.SGD(0.1)),
                "embedding": sgd,
            }
        )
    )
    changes = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.before = values_of(self.model)

        def on_epoch_end(self, epoch, logs=None):
            changes.append(has_changed(self.before, values_of(self.model)))

    fit(model, texts, labels, epochs=3, callbacks=[Watch()])
    assert changes == [
        {"task": True, "backbone": False, "embedding": False},
        {"task": True, "backbone": True, "embedding": False},
        {"task": True, "backbone": True, "embedding": True},
    ]


def test_training_is_traced_once_a_stage_whatever_the_lengths(
    make_classifier, texts, labels, monkeypatch
):
    traced = []
    original = SiATLClassifier.states

    def counted(self, x, training=False):
        if not tf.executing_eagerly():
            traced.append((training, self.lm_learns))
        return original(self, x, training)

    monkeypatch.setattr(SiATLClassifier, "states", counted)
    # Batches of one, so that there are as many lengths as texts have.
    model = make_classifier()
    unfreezing = SequentialUnfreezing(stages(2, 3))
    model.fit(
        texts,
        labels,
        batch_size=1,
        epochs=5,
        validation_data=(texts, labels),
        callbacks=[unfreezing],
        verbose=0,
    )
    training = [lm_learns for training, lm_learns in traced if training]
    assert training == [False, True, True]
    # Evaluation: with the states that stage 1 keeps, and without from stage 2 on.
    assert len(traced) - len(training) == 2


def test_stage_one_computes_no_lm_loss_and_reports_nan(
    make_classifier, texts, labels, monkeypatch
):
    model = make_classifier()
    history = fit(model, texts, labels, epochs=1, validation_data=(texts, labels))
    assert np.isnan([history.history[name] for name in ("lm_loss", "perplexity")]).all()
    assert history.history["val_perplexity"][0] == pytest.approx(20, rel=0.1)
    assert history.history["loss"] == pytest.approx(history.history["task_loss"])
    # The traced step has no product with the output embedding: no op is that wide.
    for layer in (
        *groups_of(model).layers["backbone"],
        *groups_of(model).layers["embedding"],
    ):
        layer.trainable = False
    batch = model.preprocessor(tf.constant(texts), y=tf.zeros(8, tf.int32))
    step = tf.function(lambda data: step_losses(model, data, training=True)[0])
    graph = step.get_concrete_function(batch).graph.as_graph_def()
    assert not [
        node
        for node in graph.node
        if node.op in ("While", "StatelessWhile") and "weighted_mean" in node.name
    ]


def test_loss_is_task_loss_plus_gamma_times_lm_loss(make_classifier, texts, labels):
    model = make_classifier()
    model.gamma.assign(0.37)
    figures = model.evaluate(texts, labels, return_dict=True, verbose=0)
    expected = figures["task_loss"] + 0.37 * figures["lm_loss"]
    assert figures["loss"] == pytest.approx(expected, abs=1e-5)
    targets = model.task.encode(Column(labels, "y"))
    x, y, weights = model.preprocessor(tf.constant(texts), y=targets)
    logits = model(x)
    lm_loss = float(loss_of_logits(y["lm"], logits["lm"], weights["lm"]))
    assert figures["lm_loss"] == pytest.approx(lm_loss, abs=1e-5)


@TIED
def test_gradients_in_slices_equal_those_of_the_logits(
    make_classifier, texts, labels, tied
):
    model = make_classifier(backbone={"tie_weights": tied})
    model.gamma.assign(0.5)
    fit(model, texts, labels, epochs=1)
    for layers in groups_of(model).layers.values():
        for layer in layers:
            layer.trainable = True
    targets = model.task.encode(Column(labels, "y"))
    batch = model.preprocessor(tf.constant(texts), y=targets)
    pairs = zip(
        total_gradients(model, batch, True),
        total_gradients(model, batch, False),
        strict=True,
    )
    for sliced, plain in pairs:
        np.testing.assert_allclose(sliced, plain, atol=1e-5)


def test_predict_gives_the_task_logits_of_texts_in_order(make_classifier, texts):
    model = make_classifier()
    together = model.predict(texts, batch_size=3, verbose=0)
    expected = model(model.preprocessor(texts))["task"]
    np.testing.assert_allclose(together, expected, atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 70, 200])
def test_texts_classified_in_parts_of_like_length_keep_their_order(
    make_classifier, texts, count
):
    model = make_classifier()
    batch = (texts * 25)[:count]
    received = tf.function(model.classify_texts)(tf.constant(batch, tf.string))
    assert received.shape == (count, 2)
    for text, row in list(zip(batch, received, strict=True))[::37]:
        np.testing.assert_allclose(row, model.predict([text], verbose=0)[0], atol=1e-6)


@pytest.mark.parametrize("pooling", ["attention", "last", "concat"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [0, 2])
def test_padding_does_not_change_predictions(
    make_classifier, pooling, bidirectional, num_layers, texts
):
    model = make_classifier(
        pooling=pooling, bidirectional=bidirectional, num_layers=num_layers
    )
    together = model.predict(texts, batch_size=8, verbose=0)
    alone = model.predict(texts, batch_size=1, verbose=0)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_without_auxiliary_loss_training_is_on_the_task_alone(
    make_classifier, texts, labels
):
    model = make_classifier(auxiliary_loss=False)
    history = fit(model, texts, labels)
    assert "lm_loss" not in history.history
    np.testing.assert_allclose(history.history["loss"], history.history["task_loss"])


def test_without_perplexity_nothing_is_said_of_the_language_model(
    make_classifier, texts, labels, tmp_path
):
    how = {"validation_data": (texts, labels), "verbose": 0}
    model = make_classifier(auxiliary_loss=False, perplexity=False)
    history = model.fit(texts, labels, **how)
    of_lm = {"val_loss", "val_lm_loss", "val_perplexity"}
    assert history.history.keys() & of_lm == {"val_loss"}
    assert history.history["val_loss"] == history.history["val_task_loss"]
    theirs = make_classifier(auxiliary_loss=False).fit(texts, labels, **how)
    for name, values in history.history.items():
        np.testing.assert_allclose(values, theirs.history[name], err_msg=name)
    assert of_lm <= theirs.history.keys()
    loaded = through_keras_file(model, tmp_path, texts)
    assert not loaded.perplexity
    with pytest.raises(ValueError, match="Pass auxiliary_loss=False, too"):
        make_classifier(perplexity=False)


def test_fit_on_texts_warns_of_nothing(make_classifier, texts, labels):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(make_classifier(), texts, labels, epochs=1)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param({"pooling": "last"}, id="last"),
        pytest.param({"backbone": {"tie_weights": False}}, id="untied"),
        pytest.param(ULMFIT, id="ulmfit", marks=pytest.mark.slow),
    ],
)
def test_keras_file_and_preset_give_the_same_predictions(
    make_classifier, texts, labels, tmp_path, head
):
    model = make_classifier(**head)
    fit(model, texts, labels)
    loaded = through_keras_file(model, tmp_path, texts)
    preset = through_preset(model, tmp_path, texts)
    assert loaded.label_names == preset.label_names == ["no", "yes"]
    saved, original = loaded.optimizer.variables, model.optimizer.variables
    assert any(variable.numpy().any() for variable in original)
    for a, b in zip(saved, original, strict=True):
        np.testing.assert_allclose(a, b)


def test_a_preset_has_no_optimizer_state(make_classifier, texts, labels, tmp_path):
    model = make_classifier()
    model.compile(keras.optimizers.Adam())
    fit(model, texts, labels, epochs=1)
    model.save_to_preset(str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Keras's, of an optimizer that differs.
        SiATLClassifier.from_preset(str(tmp_path))
    with h5py.File(tmp_path / "task.weights.h5") as file:
        saved = numbers_in(file)
    head = sum(weight.numpy().size for weight in model.task_head.weights)
    assert saved == head + 1  # γ


def test_a_keras_file_has_the_optimizer_once(make_classifier, tmp_path):
    model = make_classifier()
    model.save(tmp_path / "model.keras")
    with (
        zipfile.ZipFile(tmp_path / "model.keras") as archive,
        h5py.File(archive.open("model.weights.h5")) as file,
    ):
        saved = numbers_in(file["optimizer"])
    assert saved == sum(v.numpy().size for v in model.optimizer.variables)


def numbers_in(group):
    """Counts the numbers that a part of an HDF5 file holds."""
    sizes = []
    group.visititems(lambda _, item: sizes.append(getattr(item, "size", 0)))
    return sum(sizes)


def test_preset_saved_under_a_mixed_policy_loads_under_the_current_one(
    make_classifier, texts, tmp_path
):
    model = make_classifier(backbone={"dtype": "mixed_bfloat16"})
    model.save_to_preset(str(tmp_path))
    again = SiATLClassifier.from_preset(str(tmp_path))
    assert again.backbone.dtype_policy.name == "float32"
    expected = model.predict(texts, verbose=0)
    np.testing.assert_allclose(again.predict(texts, verbose=0), expected, atol=0.02)


def test_new_classifier_takes_the_weights_of_a_language_model_preset(
    make_lm, texts, tmp_path
):
    lm = make_lm()
    lm.save_to_preset(str(tmp_path))
    model = SiATLClassifier.from_preset(
        str(tmp_path),
        label_names=["a", "b", "c"],
        backbone_overrides={"hidden_dropout": 0.4},
    )
    assert model.backbone.hidden_dropout == 0.4
    np.testing.assert_allclose(
        model.backbone.token_embedding.embeddings,
        lm.backbone.token_embedding.embeddings,
    )
    scratch = SiATLClassifier.from_preset(
        str(tmp_path), load_weights=False, num_classes=2
    )
    assert (
        scratch.backbone.token_embedding.embeddings.numpy()
        != lm.backbone.token_embedding.embeddings.numpy()
    ).any()


def test_language_model_preset_without_classes_is_refused(make_lm, tmp_path):
    make_lm().save_to_preset(str(tmp_path))
    with pytest.raises(ValueError, match="pass `num_classes`, `label_names` or `task`"):
        SiATLClassifier.from_preset(str(tmp_path))


def test_class_weight_changes_the_task_loss_alone(make_classifier, texts, labels):
    plain = fit(make_classifier(), texts, labels, epochs=2, shuffle=False).history
    weights = {"no": 1.0, "yes": 3.0}
    weighted = fit(
        make_classifier(), texts, labels, epochs=2, shuffle=False, class_weight=weights
    ).history
    assert weighted["task_loss"][0] > 1.2 * plain["task_loss"][0]
    assert weighted["lm_loss"][1] == pytest.approx(plain["lm_loss"][1], rel=1e-3)


def test_arrays_raw_datasets_and_packed_datasets_evaluate_alike(
    make_classifier, texts, labels
):
    model = make_classifier()
    ids = model.task.encode(Column(labels, "y"))
    raw = tf.data.Dataset.from_tensor_slices((texts, ids)).batch(8)
    packed = raw.map(model.preprocessor)
    expected = model.evaluate(texts, ids, return_dict=True, verbose=0)
    for data in (raw, packed):
        figures = model.evaluate(data, return_dict=True, verbose=0)
        assert figures == pytest.approx(expected, abs=1e-5)


def test_an_optimizer_may_have_a_group_for_each_layer(make_classifier, texts, labels):
    model = make_classifier(**ULMFIT)
    groups = groups_of(model)
    by_layer = groups.variables_by_layer
    assert list(by_layer) == [
        "task",
        "backbone/projection",
        "backbone/lstm_1",
        "backbone/lstm_0",
        "embedding",
    ]
    together = {v.path for v in sum(groups.variables.values(), [])}
    assert sorted(v.path for v in sum(by_layer.values(), [])) == sorted(together)
    optimizers = {name: keras.optimizers.SGD(0.0) for name in by_layer}
    model.compile(GroupedOptimizer(optimizers))
    moving = model.optimizer.groups["backbone/lstm_1"]
    moving.learning_rate = 0.1
    before = {n: [v.numpy() for v in g] for n, g in by_layer.items()}
    model.fit(texts, labels, batch_size=4, verbose=0)
    after = {n: [v.numpy() for v in g] for n, g in by_layer.items()}
    changed = has_changed(before, after)
    assert [name for name in by_layer if changed[name]] == ["backbone/lstm_1"]


def test_compiling_with_xla_is_refused(make_classifier):
    with pytest.raises(ValueError, match="`jit_compile` must be False"):
        make_classifier().compile(jit_compile=True)


def test_missing_classes_and_other_models_are_refused(make_backbone):
    with pytest.raises(ValueError, match="Pass `num_classes`, or `label_names`"):
        SiATLClassifier(make_backbone())
    with pytest.raises(ValueError, match="must be a causal language model's backbone"):
        SiATLClassifier(keras.Sequential(), num_classes=2)


def test_fit_says_once_what_is_cut_and_unknown(make_classifier, texts, labels, capsys):
    model = make_classifier()
    strange = ["今天天气很好", "航班又晚点了"] * 8
    with pytest.warns(UserWarning, match="of the words are unknown to the tokenizer"):
        model.fit(
            strange,
            ["yes", "no"] * 8,
            epochs=2,
            verbose=2,
            validation_data=(texts, labels),
        )
    said = capsys.readouterr().out
    assert said.count("words are unknown") == 1
    assert said.startswith("16 texts, none of them cut at 12 tokens; 100.0% of ")
    model.fit(texts, labels, verbose=0)
    assert capsys.readouterr().out == ""
