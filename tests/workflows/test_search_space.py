import pytest

from siatl_keras.workflows.search_space import as_flags, search_space, with_flags

ARGUMENTS = {
    "method": "siatl",
    "backbone_epoch": 2,
    "embedding_epoch": 5,
    "gamma_initial": 0.2,
    "gamma_final": 0.1,
    "task_learning_rate": 5e-4,
    "pretrained_learning_rate": 1e-4,
    "pretrained_optimizer": "sgd",
    "backbone": {"hidden_dropout": 0.4, "input_dropout": 0.1},
    "task_layers": {"lstm_dropout": 0.3},
}
FLAGS = {
    "backbone_epoch": 2,
    "embedding_epoch": 5,
    "gamma_initial": 0.2,
    "gamma_final": 0.1,
    "task_learning_rate": 5e-4,
    "pretrained_learning_rate": 1e-4,
    "hidden_dropout": 0.4,
    "lstm_dropout": 0.3,
}


def test_the_defaults_of_the_space_are_the_flags_given():
    assert as_flags(search_space(ARGUMENTS).values) == FLAGS


def test_a_range_holds_what_was_given():
    space = {hp.name: hp for hp in search_space(ARGUMENTS).space}
    assert space["pretrained_learning_rate"].min_value == 1e-4
    assert space["task_learning_rate"].min_value == 2e-4


def test_adam_has_rates_of_its_own():
    adam = {**ARGUMENTS, "pretrained_optimizer": "adam"}
    space = {hp.name: hp for hp in search_space(adam).space}
    assert space["pretrained_learning_rate"].min_value == 5e-6
    assert space["pretrained_learning_rate"].max_value == 5e-4


@pytest.mark.parametrize(
    ("method", "missing"),
    [
        ("p-lm+su", {"gamma_initial", "gamma_final"}),
        ("p-lm+aux", {"backbone_epoch", "embedding_epoch"}),
        (
            "ulmfit",
            {"gamma_initial", "gamma_final", "pretrained_learning_rate"},
        ),
    ],
)
def test_a_method_is_tuned_in_what_it_has(method, missing):
    flags = as_flags(search_space({**ARGUMENTS, "method": method}).values)
    assert FLAGS.keys() - flags.keys() == missing


def test_a_dropout_that_a_transformer_lacks_is_not_tuned():
    flags = as_flags(search_space({**ARGUMENTS, "backbone": {}}).values)
    assert FLAGS.keys() - flags.keys() == {"hidden_dropout"}


def test_layers_thaw_from_the_top_and_gamma_falls_at_every_corner():
    for choose in (min, max):
        point = {
            hp.name: choose(hp.min_value, hp.max_value)
            for hp in search_space(ARGUMENTS).space
        }
        flags = as_flags(point)
        assert flags["embedding_epoch"] >= flags["backbone_epoch"] >= 1
        assert 0 < flags["gamma_final"] <= flags["gamma_initial"]


def test_flags_have_three_digits():
    assert as_flags({"task_learning_rate": 0.00123456, "backbone_epoch": 3}) == {
        "task_learning_rate": 0.00123,
        "backbone_epoch": 3,
    }


def test_flags_reach_the_part_that_they_belong_to():
    changed = with_flags(ARGUMENTS, {"hidden_dropout": 0.0, "gamma_final": 0.05})
    assert changed["backbone"] == {"hidden_dropout": 0.0, "input_dropout": 0.1}
    assert changed["gamma_final"] == 0.05
    assert ARGUMENTS["backbone"]["hidden_dropout"] == 0.4
