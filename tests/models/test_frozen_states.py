"""Frozen states: computed once, equal to what every step would compute, bit for bit."""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from rigs.letters import CLASSES, letter_texts, letters_tokenizer
from siatl_keras.callbacks import SequentialUnfreezing, WeightAveraging
from siatl_keras.models import (
    LSTMBackbone,
    SiATLClassifier,
    SiATLPreprocessor,
    frozen_states,
)
from siatl_keras.plans import Group, Phase, Plan, Rate

EVERYTHING = ("task", "backbone", "embedding")
TEXTS, LABELS = letter_texts(60, 1, 30)


def llama(dropout=0.0):
    return keras_hub.models.LlamaBackbone(
        14,
        num_layers=3,
        num_query_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        num_key_value_heads=1,
        tie_word_embeddings=True,
        dropout=dropout,
    )


def classifier(backbone=llama, long_texts="cut", **arguments):
    keras.utils.set_random_seed(0)
    preprocessor = SiATLPreprocessor(letters_tokenizer(), 20, long_texts=long_texts)
    return SiATLClassifier(
        backbone(),
        preprocessor=preprocessor,
        label_names=CLASSES,
        **arguments,
    )


def trained(model, phases, *callbacks, epochs=4, groups=None, **arguments):
    """Fits a model; returns its history, and its weights afterwards."""
    if groups is not None:
        rates = {tuple(group.name for group in groups): Rate("adam", 1e-2)}
        plan = Plan(phases=phases, groups=groups, rates=rates)
        model.compile(plan.optimizer(model, steps_per_epoch=2))
        unfreezing = SequentialUnfreezing(phases, groups)
    else:
        model.compile()
        unfreezing = SequentialUnfreezing(phases)
    history = model.fit(
        TEXTS[10:],
        LABELS[10:],
        validation_data=(TEXTS[:10], LABELS[:10]),
        epochs=epochs,
        callbacks=[unfreezing, *callbacks],
        verbose=0,
        **arguments,
    )
    return history.history, model.get_weights()


@pytest.fixture
def computed(monkeypatch):
    """Lists the layers whose states were computed, each time."""
    made = []
    compute = frozen_states.FrozenStates._compute

    def noted(self, layers):
        compute(self, layers)
        made.append([layer.name for layer in self._stores])

    monkeypatch.setattr(frozen_states.FrozenStates, "_compute", noted)
    return made


def without_states(monkeypatch):
    monkeypatch.setattr(frozen_states.FrozenStates, "_highest", lambda *_: None)


THAWING = (
    Phase(1, ("task",)),
    Phase(2, ("task", "backbone"), layers_per_epoch=2),
    Phase(4, EVERYTHING),
)


@pytest.mark.parametrize(
    "arguments", [{}, {"gradient_checkpointing": True}, {"pooling": "last"}]
)
def test_training_equals_that_which_computes_every_state(
    monkeypatch, computed, arguments
):
    history, weights = trained(classifier(**arguments), THAWING)
    # Of the layers above, the norm and one, then two more blocks learn.
    assert computed == [
        ["sequence_output_layernorm"],
        ["transformer_layer_1"],
    ]
    without_states(monkeypatch)
    expected, expected_weights = trained(classifier(**arguments), THAWING)
    assert len(computed) == 2
    for name, values in expected.items():
        np.testing.assert_array_equal(history[name], values, name)
    for found, wanted in zip(weights, expected_weights, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_the_top_layers_alone_learn_from_states_that_are_computed_in_one_pass(
    monkeypatch, computed
):
    groups = (Group("task", "^task_head/"), Group("backbone", layers=2))
    phases = (Phase(1, ("task",)), Phase(3, ("task", "backbone")))
    model = classifier()
    before = {v.path: v.numpy() for v in model.backbone.weights}
    history, weights = trained(model, phases, groups=groups)
    changed = {
        v.path.partition("/")[0]
        for v in model.backbone.weights
        if not np.array_equal(before[v.path], v.numpy())
    }
    assert changed == {"transformer_layer_2", "sequence_output_layernorm"}
    # Those of stage 1 beside those of stage 2, for which nothing is computed again.
    assert computed == [
        ["transformer_layer_1", "sequence_output_layernorm"],
        ["transformer_layer_1"],
    ]
    without_states(monkeypatch)
    expected, expected_weights = trained(classifier(), phases, groups=groups)
    np.testing.assert_array_equal(history["loss"], expected["loss"])
    for found, wanted in zip(weights, expected_weights, strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("make", "long_texts"),
    [
        (lambda: llama(dropout=0.1), "cut"),
        (lambda: LSTMBackbone(14, 8, 8, 2, hidden_dropout=0.2), "cut"),
        (llama, "windows"),
    ],
)
def test_what_differs_from_step_to_step_is_not_kept(computed, make, long_texts):
    trained(classifier(make, long_texts), (Phase(1, ("task",)),), epochs=1)
    assert computed == []


def test_an_lstm_without_dropout_is_read_once(monkeypatch, computed):
    def lstm():
        return LSTMBackbone(14, 8, hidden_dim=8, num_layers=2)

    history, _ = trained(classifier(lstm), THAWING)
    assert computed[0] == ["locked_dropout_2"]
    without_states(monkeypatch)
    expected, _ = trained(classifier(lstm), THAWING)
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-6)


def test_layers_whose_averages_come_and_go_count_as_ones_that_learn(
    monkeypatch, computed
):
    phases = (Phase(1, ("task", "backbone")), Phase(2, ("task",)))
    history, _ = trained(classifier(), phases, WeightAveraging(0.9))
    # What had learned is read once as the training ends its epoch and once as the
    # averages show that it goes on changing.
    assert computed[:1] == [["sequence_output_layernorm"]]
    without_states(monkeypatch)
    expected, _ = trained(classifier(), phases, WeightAveraging(0.9))
    for name in ("loss", "val_loss", "val_perplexity"):
        np.testing.assert_array_equal(history[name], expected[name], name)


def test_weights_that_a_callback_assigns_are_seen(monkeypatch):
    class Assign(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            weight = self.model.backbone.weights[2]
            weight.assign(weight + 0.1 * epoch)

    phases = (Phase(1, ("task",)),)
    history, _ = trained(classifier(), phases, Assign())
    without_states(monkeypatch)
    expected, _ = trained(classifier(), phases, Assign())
    np.testing.assert_array_equal(history["val_perplexity"], expected["val_perplexity"])
    assert len(set(history["val_perplexity"])) == 4


def test_states_too_many_for_memory_go_to_a_file(monkeypatch):
    phases = (Phase(1, ("task",)),)
    expected, _ = trained(classifier(), phases)
    monkeypatch.setattr(frozen_states, "BYTES_IN_MEMORY", 100)
    made = []
    memmap = np.memmap
    monkeypatch.setattr(np, "memmap", lambda *a, **k: made.append(a) or memmap(*a, **k))
    history, _ = trained(classifier(), phases)
    assert len(made) == 1
    np.testing.assert_array_equal(history["loss"], expected["loss"])


def test_bfloat16_is_kept_as_it_is(monkeypatch):
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        history, _ = trained(classifier(), THAWING)
        without_states(monkeypatch)
        expected, _ = trained(classifier(), THAWING)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    np.testing.assert_array_equal(history["loss"], expected["loss"])


def test_another_fit_and_another_evaluation_know_nothing_of_earlier_texts():
    model = classifier()
    trained(model, (Phase(1, ("task",)),), epochs=1)
    assert model.frozen_states is None
    again = classifier()
    again.set_weights(model.get_weights())
    again.compile()
    texts, labels = ["a b", "c d e", "a"], ["with", "without", "with"]
    found = model.evaluate(texts, labels, return_dict=True, verbose=0)
    expected = again.evaluate(texts, labels, return_dict=True, verbose=0)
    assert found == expected


def test_other_data_for_validation_is_read_as_it_is(computed):
    model = classifier()
    model.compile()
    data = tf.data.Dataset.from_tensor_slices((TEXTS[:10], LABELS[:10])).batch(4)
    unfreezing = SequentialUnfreezing((Phase(1, ("task",)),))
    history = model.fit(
        TEXTS,
        LABELS,
        validation_data=data,
        epochs=2,
        callbacks=[unfreezing],
        verbose=0,
    ).history
    assert computed == [["sequence_output_layernorm"]]
    found = model.evaluate(TEXTS[:10], LABELS[:10], return_dict=True, verbose=0)
    for name in ("task_loss", "perplexity"):
        np.testing.assert_allclose(history[f"val_{name}"][-1], found[name], rtol=1e-6)
