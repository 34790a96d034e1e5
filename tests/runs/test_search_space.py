from dataclasses import replace

import pytest

from siatl_keras.runs import FinetuneConfig
from siatl_keras.runs.search_space import as_settings, search_space

SETTINGS = {
    "backbone_epoch": 2,
    "embedding_epoch": 5,
    "gamma_initial": 0.2,
    "gamma_final": 0.1,
    "task_learning_rate": 5e-4,
    "pretrained_learning_rate": 0.5,
    "lm_hidden_dropout": 0.4,
    "lstm_dropout": 0.3,
}


@pytest.fixture
def config(lm):
    return FinetuneConfig(train="a.tsv", validation="b.tsv", lm=lm, output="run")


def space_of(config):
    return {hp.name: hp for hp in search_space(config).space}


def test_the_defaults_of_the_space_are_the_settings_given(config):
    assert as_settings(search_space(config).values) == SETTINGS


def test_a_range_holds_what_was_given(config):
    space = space_of(replace(config, pretrained_learning_rate=1e-4))
    assert space["pretrained_learning_rate"].min_value == 1e-4
    assert space["task_learning_rate"].min_value == 2e-4


def test_adam_has_rates_of_its_own(config):
    space = space_of(replace(config, pretrained_optimizer="adam"))
    assert space["pretrained_learning_rate"].min_value == 5e-6
    assert space["pretrained_learning_rate"].max_value == 5e-4


@pytest.mark.parametrize(
    ("method", "missing"),
    [
        ("p-lm+su", {"gamma_initial", "gamma_final"}),
        ("p-lm+aux", {"backbone_epoch", "embedding_epoch"}),
        (
            # Its embedding thaws one epoch after the lowest layer.
            "ulmfit",
            {
                "gamma_initial",
                "gamma_final",
                "pretrained_learning_rate",
                "embedding_epoch",
            },
        ),
    ],
)
def test_a_method_is_tuned_in_what_changes_its_plan(config, method, missing):
    settings = as_settings(search_space(replace(config, method=method)).values)
    assert SETTINGS.keys() - settings.keys() == missing


def test_a_method_without_a_plan_cannot_be_tuned(config):
    with pytest.raises(ValueError, match="`method` must be one of .*'bow'"):
        search_space(replace(config, method="bow"))


def test_a_dropout_that_a_transformer_lacks_is_not_tuned(config, transformer):
    config = replace(config, lm=transformer, method="siatl")
    settings = as_settings(search_space(config).values)
    assert SETTINGS.keys() - settings.keys() == {"lm_hidden_dropout"}
    assert settings["pretrained_learning_rate"] == 5e-5


def test_layers_thaw_from_the_top_and_gamma_falls_at_every_corner(config):
    for choose in (min, max):
        point = {
            hp.name: choose(hp.min_value, hp.max_value)
            for hp in search_space(config).space
        }
        settings = as_settings(point)
        assert settings["embedding_epoch"] >= settings["backbone_epoch"] >= 1
        assert 0 < settings["gamma_final"] <= settings["gamma_initial"]
        replace(config, method="siatl", **settings).plan()


def test_settings_have_three_digits():
    assert as_settings({"task_learning_rate": 0.00123456, "backbone_epoch": 3}) == {
        "task_learning_rate": 0.00123,
        "backbone_epoch": 3,
    }
