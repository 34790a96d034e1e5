"""The methods' plans, and the optimizers and callbacks that they make."""

import dataclasses

import keras
import pytest

from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.optimizers import SCHEDULES, FusedAdam, FusedSGD, GroupedOptimizer
from siatl_keras.optimizers.groups import groups_of
from siatl_keras.plans import (
    METHODS,
    Gamma,
    Group,
    Phase,
    Plan,
    Rate,
    Settings,
    siatl,
    stages,
)
from siatl_keras.text import WordTokenizer

SETTINGS = Settings(
    epochs=10,
    task_learning_rate=0.1,
    pretrained_learning_rate=0.01,
    schedule="slanted_triangular",
)
EVERYTHING = ("task", "backbone", "embedding")


@pytest.fixture(scope="module")
def model():
    return SiATLClassifier(LSTMBackbone(9, 4, hidden_dim=6, num_layers=2), 2)


def schedule_of(optimizer):
    config = keras.optimizers.serialize(optimizer)["config"]["learning_rate"]
    return keras.optimizers.schedules.deserialize(config)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("siatl", stages(2, 5)),
        ("p-lm+su", stages(2, 5)),
        ("p-lm+aux", stages(1, 1)),
        ("p-lm", stages(1, 1)),
        ("ulmfit", (Phase(1, ("task",)), Phase(2, EVERYTHING, layers_per_epoch=1))),
    ],
)
def test_phases_are_those_of_the_method(method, expected):
    assert METHODS[method](SETTINGS).phases == expected


def test_the_auxiliary_loss_is_that_of_two_methods():
    weighed = {
        name for name, method in METHODS.items() if method(SETTINGS).gamma is not None
    }
    assert weighed == {"siatl", "p-lm+aux"}
    assert siatl(SETTINGS).gamma == Gamma(0.2, 0.1, 15)


@pytest.mark.parametrize(
    ("method", "epochs"),
    [
        ("siatl", {"task": 10, "backbone": 9, "embedding": 9}),
        ("p-lm", {"task": 10, "backbone": 10, "embedding": 10}),
        (
            "ulmfit",
            {
                "task": 10,
                "backbone/projection": 9,
                "backbone/lstm_1": 8,
                "backbone/lstm_0": 7,
                "embedding": 6,
            },
        ),
    ],
)
def test_schedules_are_as_long_as_their_group_learns(model, method, epochs):
    groups = METHODS[method](SETTINGS).optimizer(model, 7).groups
    lengths = {name: schedule_of(one).steps for name, one in groups.items()}
    assert lengths == {name: 7 * count for name, count in epochs.items()}


def test_layers_have_the_rate_of_the_layer_above_divided(model):
    groups = METHODS["ulmfit"](SETTINGS).optimizer(model, 7).groups
    for depth, optimizer in enumerate(groups.values()):
        assert schedule_of(optimizer).max_rate == pytest.approx(0.1 / 2.6**depth)
        config = keras.optimizers.serialize(optimizer)["config"]
        assert (config["beta_1"], config["beta_2"]) == (0.7, 0.99)
    assert len({id(optimizer) for optimizer in groups.values()}) == 5


@pytest.mark.parametrize("method", ["scratch", "last-token"])
def test_one_adam_has_one_rate_for_all(model, method):
    made = METHODS[method](SETTINGS).optimizer(model, 7)
    assert isinstance(made, FusedAdam)
    assert schedule_of(made).max_rate == 0.1


def test_what_is_rated_together_shares_an_optimizer_and_nothing_else_does(model):
    equal = dataclasses.replace(
        SETTINGS, pretrained_optimizer="adam", pretrained_learning_rate=0.1
    )
    groups = siatl(equal).optimizer(model, 7).groups
    assert groups["backbone"] is groups["embedding"] is not groups["task"]


def test_the_pretrained_layers_optimizer_suits_the_model(model):
    optimizer = siatl().optimizer(model, 7)
    assert isinstance(optimizer, GroupedOptimizer)
    assert type(optimizer.groups["task"]) is FusedAdam
    assert type(optimizer.groups["backbone"]) is FusedSGD
    assert float(optimizer.groups["backbone"].learning_rate) == 0.5


def test_groups_share_an_optimizer_as_a_plan_says(model):
    plan = Plan(
        phases=(Phase(1, ("task", "embedding")), Phase(2, EVERYTHING)),
        rates={("task", "embedding"): Rate("adam", 0.01), ("backbone",): Rate("sgd")},
    )
    groups = plan.optimizer(model, 7).groups
    assert groups["task"] is groups["embedding"] is not groups["backbone"]


def test_another_split_into_groups_is_a_plan_of_ones_own(model):
    top = Group("top", r"^task_head/|^lstm_1/")
    plan = Plan(
        groups=(top, Group("below")),
        phases=(Phase(1, ("top",)), Phase(3, ("top", "below"))),
        rates={("top",): Rate("adam", 0.01), ("below",): Rate("sgd", 0.1, "geometric")},
        epochs=12,
    )
    optimizer = plan.optimizer(model, 7)
    model.compile(optimizer)
    assert schedule_of(optimizer.groups["below"]).steps == 70
    found = groups_of(model, plan.groups)
    assert [part.name for part in found.layers["top"]] == ["lstm_1", "task_head"]
    for name, variables in found.variables.items():
        assert {id(optimizer.groups(v)) for v in variables} == {
            id(optimizer.groups[name])
        }


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ({("task",): Rate("adam", 0.1)}, r"Received rates of: \['task'\]"),
        (
            {EVERYTHING: Rate("adam", 0.1), ("lm_head",): Rate("sgd", 0.1)},
            r"of the groups \['task', 'backbone', 'embedding'\].*'lm_head'",
        ),
    ],
    ids=("too few", "another"),
)
def test_rates_of_other_groups_than_the_plan_s_are_refused(rates, message):
    with pytest.raises(ValueError, match=message):
        Plan(phases=(Phase(1, ("task",)),), rates=rates)


def test_phases_of_groups_that_a_plan_lacks_are_refused():
    with pytest.raises(ValueError, match=r"phases of: \['lm_head'\]"):
        Plan(
            phases=(Phase(1, ("task", "lm_head")),),
            rates={EVERYTHING: Rate("adam", 0.1)},
        )


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.4, 0.4, 0.4, 0.4]),
        ("geometric", [0.4, 0.2, 0.1, 0.1]),
        ("warmup_cosine", [0.0, 0.4, 0.2, 0.0]),
    ],
)
def test_gamma_takes_the_schedules_of_the_rates(schedule, expected):
    settings = Settings(
        gamma_initial=0.4, gamma_final=0.1, gamma_epochs=3, gamma_schedule=schedule
    )
    callback = siatl(settings).callbacks()[0]
    gammas = [callback.value(epoch) for epoch in range(4)]
    assert gammas == pytest.approx(expected)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_is_one_of_gamma(schedule):
    callback = Gamma(0.3, 0.1, 40, schedule).callback()
    gammas = [callback.value(epoch) for epoch in range(41)]
    assert max(gammas) == pytest.approx(0.3)


def test_adapters_are_the_plan_s(model):
    plan = siatl(Settings(lora_rank=2))
    assert plan.lora_rank == 2
    with pytest.raises(ValueError, match="`lora_rank` needs.*LSTMBackbone"):
        plan.prepare(model)
    with pytest.raises(ValueError, match="lora_rank=0"):
        dataclasses.replace(plan, lora_rank=0)


def test_callbacks_come_in_the_order_that_they_need(tmp_path):
    settings = dataclasses.replace(SETTINGS, average_momentum=0.9)
    names = [
        type(callback).__name__
        for callback in siatl(settings).callbacks(tmp_path / "tb", tmp_path / "backup")
    ]
    assert names == [
        "GammaDecay",
        "SequentialUnfreezing",
        "GroupLearningRates",
        "WeightAveraging",
        "BestWeights",
        "TrainingCurves",
        "BackupAndRestore",
    ]


def test_what_a_plan_lacks_has_no_callback():
    plan = dataclasses.replace(METHODS["p-lm"](SETTINGS), patience=None)
    names = [type(callback).__name__ for callback in plan.callbacks()]
    assert names == ["SequentialUnfreezing", "GroupLearningRates"]


def test_a_plan_teaches_a_model_in_its_phases():
    keras.utils.set_random_seed(2)
    words = ["<pad>", "<s>", "</s>", "<unk>", "good", "bad"]
    model = SiATLClassifier(
        LSTMBackbone(6, 8, hidden_dim=8, num_layers=1),
        preprocessor=SiATLPreprocessor(WordTokenizer(words)),
        label_names=["negative", "positive"],
    )
    texts, labels = ["good", "bad"] * 4, ["positive", "negative"] * 4
    plan = siatl(
        Settings(
            epochs=12,
            gamma_epochs=4,
            embedding_epoch=3,
            task_learning_rate=0.05,
            pretrained_optimizer="adam",
            pretrained_learning_rate=0.05,
            patience=12,
        )
    )
    model.compile(plan.optimizer(model, steps_per_epoch=4))
    logs = model.fit(
        texts,
        labels,
        batch_size=2,
        validation_data=(texts, labels),
        epochs=plan.epochs,
        callbacks=plan.callbacks(),
        verbose=0,
    ).history
    assert logs["stage"] == [1, 2, *[3] * 10]
    assert logs["gamma"][:4] == pytest.approx([0.2, 0.1587, 0.126, 0.1], abs=1e-4)
    assert logs["learning_rate/task"] == pytest.approx([0.05] * 12)
    assert min(logs["val_task_loss"]) < 0.5 * logs["val_task_loss"][0]
