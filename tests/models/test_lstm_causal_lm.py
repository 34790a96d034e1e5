import keras
import numpy as np
import pytest
import tensorflow as tf

from rigs.step_losses import loss_of_logits
from siatl_keras.models import LSTMCausalLM
from siatl_keras.optimizers import GroupedOptimizer
from siatl_keras.optimizers.groups import groups_of

TIED = pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
# What differs is the output layer, which the loss of the logits tests.
UNTIED_SLOWLY = pytest.mark.parametrize(
    "tied",
    [True, pytest.param(False, marks=pytest.mark.slow)],
    ids=["tied", "untied"],
)


@UNTIED_SLOWLY
def test_training_on_raw_strings_lowers_the_perplexity(make_lm, texts, tied):
    lm = make_lm(tie_weights=tied)
    lm.compile(keras.optimizers.Adam(0.02))
    history = lm.fit(texts * 5, epochs=8, batch_size=4, verbose=0).history
    assert history["perplexity"][0] > 15
    assert history["perplexity"][-1] < 10


@UNTIED_SLOWLY
def test_training_on_sampled_words_lowers_the_exact_perplexity(make_lm, texts, tied):
    lm = make_lm(tie_weights=tied)
    lm.compile(keras.optimizers.Adam(0.02), sampled_words=8)
    history = lm.fit(
        texts * 5, epochs=8, batch_size=4, validation_data=tf.constant(texts), verbose=0
    ).history
    assert "perplexity" not in history
    assert history["val_perplexity"][0] > 15
    assert history["val_perplexity"][-1] < 10
    x, y, weights = lm.preprocessor(texts)
    exact = np.exp(float(loss_of_logits(y, lm(x), weights)))
    assert history["val_perplexity"][-1] == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("words", [1, 21])
def test_sampling_more_words_than_there_are_is_refused(make_lm, words):
    with pytest.raises(ValueError, match="from 2 to the vocabulary's 20 words"):
        make_lm().compile(sampled_words=words)


@pytest.mark.parametrize(
    "fixed", ["loss", "loss_weights", "metrics", "weighted_metrics"]
)
def test_what_is_fixed_cannot_be_compiled(make_lm, fixed):
    lm = make_lm()
    before = lm.optimizer
    with pytest.raises(TypeError, match=fixed):
        lm.compile(**{fixed: ["accuracy"]})
    assert lm.optimizer is before


def test_compiling_with_xla_is_refused(make_lm):
    with pytest.raises(ValueError, match="`jit_compile` must be False"):
        make_lm().compile(jit_compile=True)


@TIED
def test_evaluation_in_slices_equals_the_loss_of_the_logits(make_lm, texts, tied):
    lm = make_lm(tie_weights=tied)
    x, y, weights = lm.preprocessor(texts)
    expected = float(loss_of_logits(y, lm(x), weights))
    figures = lm.evaluate(texts, batch_size=8, return_dict=True, verbose=0)
    assert figures["loss"] == pytest.approx(expected, abs=1e-5)
    assert figures["perplexity"] == pytest.approx(np.exp(expected), rel=1e-5)


def test_score_is_the_sum_of_log_probabilities(make_lm, texts):
    lm = make_lm()
    x, y, weights = lm.preprocessor(texts)
    log_probabilities = tf.nn.log_softmax(lm(x))
    at_targets = tf.gather(log_probabilities, y, batch_dims=2)
    expected = tf.reduce_sum(at_targets * weights, -1)
    np.testing.assert_allclose(lm.score(texts, batch_size=3), expected, rtol=1e-5)
    assert lm.score([]).shape == (0,)


@UNTIED_SLOWLY
def test_generation_with_the_state_cache_equals_greedy_search_by_hand(
    make_lm, texts, tied
):
    lm = make_lm(tie_weights=tied)
    lm.compile(keras.optimizers.Adam(0.02), sampler="greedy")
    lm.fit(texts, epochs=10, verbose=0)
    prompts = ["so glad", "what a day"]
    for prompt in prompts:
        ids = [1, *lm.preprocessor.tokenizer.tokenize(prompt).numpy()]
        while len(ids) < 10 and ids[-1] != 2:
            row = np.array([ids], "int32")
            logits = lm({"token_ids": row, "padding_mask": np.ones_like(row)})
            ids.append(int(tf.argmax(logits[0, -1])))
        by_hand = lm.preprocessor.tokenizer.detokenize(ids).numpy().decode()
        assert lm.generate(prompt, max_length=10) == by_hand
    together = lm.generate(prompts, max_length=10)
    assert together == [lm.generate(prompt, max_length=10) for prompt in prompts]


def test_generation_ends_at_the_end_token_or_the_length(make_lm, tokenizer):
    lm = make_lm()
    lm.compile(sampler="top_k")
    for text in lm.generate(["so", "my flight"], max_length=7):
        assert len(text.split()) <= 6


@TIED
def test_preset_round_trip_scores_the_same(make_lm, texts, tmp_path, tied):
    lm = make_lm(tie_weights=tied)
    lm.save_to_preset(str(tmp_path))
    again = LSTMCausalLM.from_preset(str(tmp_path))
    np.testing.assert_allclose(again.score(texts), lm.score(texts), rtol=1e-6)


def test_preset_saved_under_a_mixed_policy_loads_under_the_current_one(
    make_lm, texts, tmp_path
):
    lm = make_lm(dtype="mixed_bfloat16")
    lm.save_to_preset(str(tmp_path))
    again = LSTMCausalLM.from_preset(str(tmp_path))
    assert again.backbone.dtype_policy.name == "float32"
    np.testing.assert_allclose(again.score(texts), lm.score(texts), rtol=0.02)


def test_preprocessor_shifts_targets_and_weights_real_ones(make_lm):
    x, y, weights = make_lm().preprocessor(["good day", "bad"])
    assert x["token_ids"].numpy().tolist() == [
        [
            1,
            17,
            13,
        ],
        [1, 18, 2],
    ]
    assert y.numpy().tolist() == [[17, 13, 2], [18, 2, 0]]
    assert weights.numpy().tolist() == [[1, 1, 1], [1, 1, 0]]


def test_scoring_without_a_preprocessor_is_refused(make_backbone):
    with pytest.raises(ValueError, match="needs a model with preprocessor"):
        LSTMCausalLM(make_backbone()).score(["good"])


def test_an_optimizer_may_have_a_group_for_each_layer(make_lm, texts):
    model = make_lm()
    assert not groups_of(model).layers["task"]
    names = list(groups_of(model).variables_by_layer)
    assert names == [
        "backbone/projection",
        "backbone/lstm_1",
        "backbone/lstm_0",
        "embedding",
    ]
    rates = dict.fromkeys(names, 0.0) | {"backbone/lstm_0": 0.1}
    optimizers = {name: keras.optimizers.SGD(rate) for name, rate in rates.items()}
    model.compile(GroupedOptimizer(optimizers))
    before = {
        n: [v.numpy() for v in groups_of(model).variables_by_layer[n]] for n in names
    }
    model.fit(texts, batch_size=8, verbose=0)
    moved = [
        name
        for name in names
        for old, now in zip(
            before[name], groups_of(model).variables_by_layer[name], strict=True
        )
        if (old != now.numpy()).any()
    ]
    assert set(moved) == {"backbone/lstm_0"}
