"""Defaults: by the kind of the language model and the number of tokens."""

import json
from dataclasses import replace

import pytest

from rigs.small_task import small_config
from siatl_keras.data import read_examples
from siatl_keras.models import SiATLClassifier
from siatl_keras.presets.named_models import SHIPPED, chosen_model
from siatl_keras.runs import finetune
from siatl_keras.runs.defaults import (
    LSTM_TOKENS,
    SAMPLED_WORDS,
    TOKENS,
    with_defaults,
)

GIVEN = {
    "epochs": 3,
    "patience": 2,
    "sequence_length": 9,
    "task_learning_rate": 0.1,
    "pretrained_learning_rate": 0.2,
    "schedule": "constant",
}


def config_of(files, lm, output, **settings):
    return small_config(files, lm, output, **{"sequence_length": None, **settings})


def test_an_lstm_is_taught_as_in_the_paper(files, lm, tmp_path):
    train = read_examples(files[0])
    for method, length in {"auto": 256, "siatl": 80}.items():
        config = config_of(files, lm, tmp_path, method=method)
        config = with_defaults(config, train)
        found = (config.method, config.epochs, config.patience)
        assert found == ("siatl", 30, 6)
        assert config.sequence_length == length
        assert (config.task_learning_rate, config.schedule) == (5e-4, None)


@pytest.mark.parametrize(
    ("method", "expected"), [("auto", SAMPLED_WORDS), ("siatl", None), ("p-lm", None)]
)
def test_where_words_are_many_an_lstm_s_loss_is_estimated(
    files, lm, tmp_path, method, expected
):
    config = config_of(files, SHIPPED[0], tmp_path, method=method)
    config = replace(config, lm=chosen_model(SHIPPED[0]))
    assert with_defaults(config).sampled_words == expected
    few = config_of(files, lm, tmp_path, method=method)
    assert with_defaults(few).sampled_words is None


def test_of_a_transformer_the_lower_half_is_taught(files, transformer, tmp_path):
    train = read_examples(files[0])
    config = with_defaults(config_of(files, transformer, tmp_path), train)
    assert (config.method, config.sequence_length) == ("lower-half", 256)
    plan = config.plan()
    assert (plan.depth, plan.monitor, plan.gamma) == (0.5, "accuracy", None)
    assert [phase.learns for phase in plan.phases] == [
        ("task",),
        ("task", "backbone"),
    ]
    assert plan.head["standardize"] and plan.head["pooling"] == "mean"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, True),
        ({"method": "siatl"}, False),
        ({"class_weight": "balanced"}, False),
        ({"task": "multi_label"}, True),
        ({"pair_column": "second"}, True),
        ({"word_scores": False}, False),
        ({"method": "siatl", "word_scores": True}, True),
    ],
)
def test_words_have_a_say_unless_a_method_is_named(
    files, lm, tmp_path, settings, expected
):
    config = with_defaults(config_of(files, lm, tmp_path, **settings))
    assert config.word_scores is expected
    cut = "pair_column" in settings or not expected
    assert config.long_texts == (None if cut else "words")
    assert with_defaults(config).word_scores is expected


@pytest.mark.parametrize(
    "settings", [{"long_texts": "windows"}, {"pair_column": "second"}]
)
def test_how_long_texts_are_read_stays_with_words(files, lm, tmp_path, settings):
    config = config_of(files, lm, tmp_path, word_scores=True, **settings)
    assert with_defaults(config).long_texts == config.long_texts


@pytest.mark.parametrize("method", ["siatl", "lower-half"])
def test_what_is_given_stays(files, transformer, tmp_path, method):
    train = read_examples(files[0])
    config = config_of(files, transformer, tmp_path, method=method, **GIVEN)
    config = with_defaults(config, train)
    assert {name: getattr(config, name) for name in GIVEN} == GIVEN
    assert config.method == method


def test_many_tokens_have_fewer_epochs(files, transformer, tmp_path):
    train = read_examples(files[0])
    few = with_defaults(config_of(files, transformer, tmp_path), train)
    train.texts[0] = "word " * TOKENS
    many = config_of(files, transformer, tmp_path, sequence_length=2 * TOKENS)
    many = with_defaults(many, train)
    assert few.epochs > many.epochs == 2


def test_an_lstm_has_epochs_for_its_embeddings(files, lm, tmp_path):
    train = read_examples(files[0])
    few = with_defaults(config_of(files, lm, tmp_path), train)
    train.texts[0] = "word " * LSTM_TOKENS
    for length, epochs in {9: 30, 2 * LSTM_TOKENS: 8}.items():
        config = config_of(files, lm, tmp_path, sequence_length=length)
        assert with_defaults(config, train).epochs == epochs
    named = config_of(files, lm, tmp_path, method="siatl", sequence_length=10**9)
    assert with_defaults(named, train).epochs == few.epochs == 30


def test_a_transformer_s_run_ends_with_half_of_its_blocks(files, transformer, tmp_path):
    config = config_of(files, transformer, tmp_path / "run")
    model, metrics = finetune(config, verbose=0)
    assert metrics["method"] == "lower-half"
    assert model.backbone.num_layers == 1
    assert model.task_head.standardization.is_adapted
    best = metrics["history"][metrics["best_epoch"] - 1]
    # Half of a language model is none.
    assert "val_perplexity" not in best and "perplexity" not in metrics["validation"]
    assert best["val_accuracy"] == max(
        epoch["val_accuracy"] for epoch in metrics["history"]
    )
    saved = json.loads((tmp_path / "run/model/config.json").read_text("utf-8"))
    assert saved["config"]["num_layers"] == 1
    again = SiATLClassifier.from_preset(str(tmp_path / "run" / "model"))
    texts = ["so glad today", "what an awful day"]
    assert again.predict_labels(texts, verbose=0) == model.predict_labels(
        texts, verbose=0
    )
