"""Batches in parts teach what they teach at once."""

import keras
import numpy as np
import pytest

from rigs import small_backbones as small
from rigs.round_trips import through_preset
from rigs.three_stages import fit_in_three_stages
from siatl_keras.models.gradients import tokens_at_once

WEIGHTS = np.array([1.0, 2.0, 0.5, 0.0, 1.0, 3.0, 1.0, 1.0])
SOFT = np.stack([np.linspace(0.1, 0.8, 8), np.linspace(0.9, 0.2, 8)], 1)
CROSSENTROPY = keras.losses.SparseCategoricalCrossentropy


def undropped(tokens, **made):
    """A small GPT2 without dropout, whose steps are of so many tokens at once."""
    backbone = small.small_backbone("GPT2", dropout=0.0)
    model = small.small_classifier("GPT2", backbone, **made)
    model.tokens_at_once = tokens
    return model


def trained(tokens, optimizer=None, compiled=None, labels=None, made=None, **fitted):
    """Trains for two epochs; returns the history and the weights."""
    keras.utils.set_random_seed(2)
    model = undropped(tokens, **(made or {}))
    optimizer = optimizer or keras.optimizers.SGD(0.3)
    model.compile(type(optimizer).from_config(optimizer.get_config()), **compiled or {})
    labels = small.LABELS if labels is None else labels
    history = model.fit(
        small.TEXTS, labels, batch_size=5, epochs=2, verbose=0, **fitted
    )
    return history.history, model.get_weights()


def assert_same(one, other):
    (history, weights), (other_history, other_weights) = one, other
    assert history.keys() == other_history.keys()
    for name, values in history.items():
        np.testing.assert_allclose(other_history[name], values, rtol=1e-4)
    for weight, other_weight in zip(weights, other_weights, strict=True):
        np.testing.assert_allclose(other_weight, weight, atol=1e-5)


HOW = {
    "plain": {},
    "weighted": {"sample_weight": WEIGHTS},
    "soft": {"labels": SOFT},
    "soft and weighted": {"labels": SOFT, "sample_weight": WEIGHTS},
    "sum": {
        "compiled": {"loss": CROSSENTROPY(True, reduction="sum")},
        "sample_weight": WEIGHTS,
    },
    "mean by weight": {
        "compiled": {"loss": CROSSENTROPY(True, reduction="mean_with_sample_weight")},
        "sample_weight": WEIGHTS,
    },
    "task alone": {"made": {"auxiliary_loss": False}},
    "task alone, by Adam": {
        "made": {"auxiliary_loss": False},
        "optimizer": keras.optimizers.Adam(0.01, global_clipnorm=0.1),
    },
    "checkpointed": {"made": {"gradient_checkpointing": True}},
    "eager": {"compiled": {"run_eagerly": True}},
}
QUICK = ("plain", "weighted", "task alone")


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(how, marks=[] if name in QUICK else pytest.mark.slow, id=name)
        for name, how in HOW.items()
    ],
)
def test_parts_teach_what_the_batch_does(how):
    # 1: a text a part; 20: two or three; 1000: all of them.
    whole = trained(None, **how)
    for tokens in (1, 20, 1000):
        assert_same(whole, trained(tokens, **how))


@pytest.mark.slow
def test_regularizers_count_once():
    histories = []
    for tokens in (None, 20):
        keras.utils.set_random_seed(2)
        model = undropped(tokens)
        model.task_head.classes.kernel.regularizer = keras.regularizers.L2(0.5)
        model.compile(keras.optimizers.SGD(0.3))
        fitted = model.fit(small.TEXTS, small.LABELS, epochs=2, verbose=0)
        histories.append(fitted.history)
    assert histories[0]["loss"][0] > histories[0]["task_loss"][0] + 0.3
    np.testing.assert_allclose(histories[1]["loss"], histories[0]["loss"], rtol=1e-5)


@pytest.mark.slow
def test_stages_begin_and_end_as_without_parts(tmp_path):
    found = []
    for tokens in (None, 20):
        keras.utils.set_random_seed(2)
        model = small.small_classifier("Llama")
        model.tokens_at_once = tokens
        history, groups = fit_in_three_stages(model)
        assert groups == ["t", "tb", "tbe"]
        # Not computed in the first stage, in which it can teach nothing.
        assert np.isnan(history["lm_loss"][0])
        found.append((history, model.get_weights()))
    assert_same(*found)
    through_preset(model, tmp_path, small.TEXTS)


def test_the_larger_a_transformer_the_fewer_tokens_at_once(make_classifier):
    few, many = (small.small_backbone("GPT2", num_layers=n) for n in (2, 6))
    assert tokens_at_once(few) == 2**23 // 16
    assert tokens_at_once(many) == 2**23 // 48
    assert small.small_classifier("GPT2", few).tokens_at_once == 2**23 // 16
    # An LSTM keeps far less.
    assert make_classifier().tokens_at_once is None
