import pytest
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.callbacks.phases import (
    Phase,
    check_phases,
    first_epochs,
    layers_learning,
    phase_number,
    stages,
)

GROUPS = {"task": ["head"], "backbone": ["low", "middle", "high"], "embedding": ["e"]}
BOTTOM_UP = ["e", "low", "middle", "high", "head"]
EVERYTHING = tuple(GROUPS)
epochs = st.integers(1, 20)


def learning(phases, epoch):
    by_group = layers_learning(phases, GROUPS, epoch)
    assert list(by_group) == list(GROUPS)
    return [x for layers in by_group.values() for x in layers]


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [
        (1, ["head"]),
        (2, ["head", *GROUPS["backbone"]]),
        (4, ["head", *GROUPS["backbone"]]),
        (5, ["head", *GROUPS["backbone"], "e"]),
    ],
)
def test_the_paper_s_epochs(epoch, expected):
    assert learning(stages(2, 5), epoch) == expected


@given(epochs, epochs, epochs)
def test_what_learns_in_the_paper_s_stages_keeps_learning(epoch, first, second):
    phases = stages(*sorted((first, second)), layers_per_epoch=1)
    assert set(learning(phases, epoch)) <= set(learning(phases, epoch + 1))


@given(epochs, epochs, epochs, st.sampled_from([None, 1, 2]))
def test_no_layer_learns_below_a_frozen_one(epoch, first, second, layers_per_epoch):
    phases = stages(*sorted((first, second)), layers_per_epoch)
    flags = [layer in learning(phases, epoch) for layer in BOTTOM_UP]
    assert flags == sorted(flags)


def test_layers_thaw_from_the_top_a_few_per_epoch():
    thawed = [learning(stages(2, 9, 2), epoch) for epoch in (1, 2, 3)]
    assert thawed == [
        ["head"],
        ["head", "middle", "high"],
        ["head", "low", "middle", "high"],
    ]


def test_layers_of_several_groups_thaw_one_after_another():
    phases = (Phase(1, ("task",)), Phase(2, EVERYTHING, layers_per_epoch=1))
    new = [
        set(learning(phases, epoch)) - set(learning(phases, epoch - 1))
        for epoch in (2, 3, 4, 5, 6)
    ]
    assert new == [{"high"}, {"middle"}, {"low"}, {"e"}, set()]


def test_a_group_may_be_frozen_again():
    phases = (Phase(1, ("task",)), Phase(2, ("embedding",)), Phase(3, EVERYTHING))
    assert learning(phases, 2) == ["e"]


@given(epochs)
def test_none_means_never(epoch):
    phases = stages(None, None)
    assert phase_number(phases, epoch) == 1
    assert learning(phases, epoch) == ["head"]


def test_one_means_from_the_start():
    assert phase_number(stages(1, 1), 1) == 3
    assert learning(stages(1, 1), 1) == ["head", *GROUPS["backbone"], "e"]


@given(epochs, epochs, st.sampled_from([None, 1, 2]))
def test_first_epochs_are_those_in_which_layers_begin(first, second, layers_per_epoch):
    phases = stages(*sorted((first, second)), layers_per_epoch)
    begins = first_epochs(phases, GROUPS)
    for name, layers in GROUPS.items():
        for layer, epoch in zip(layers, begins[name], strict=True):
            assert layer in learning(phases, epoch)
            assert epoch == 1 or layer not in learning(phases, epoch - 1)


def test_a_layer_that_never_learns_has_no_first_epoch():
    assert first_epochs(stages(3, None), GROUPS) == {
        "task": [1],
        "backbone": [3, 3, 3],
        "embedding": [None],
    }


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Phase(0, ("task",)), "from_epoch=0"),
        (lambda: Phase(1, "task"), "`learns` must be a tuple"),
        (lambda: Phase(1, ("task",), layers_per_epoch=0), "layers_per_epoch=0"),
        (lambda: Phase(2, ("task",), optimizer="sdg"), "Keras optimizer.*sdg"),
        (lambda: check_phases([]), "begin with epoch 1"),
        (lambda: check_phases([Phase(2, ("task",))]), r"epochs \[2\]"),
        (
            lambda: check_phases(
                [Phase(1, ("a",)), Phase(5, ("a",)), Phase(3, ("a",))]
            ),
            r"epochs \[1, 5, 3\]",
        ),
        (lambda: check_phases([("task",)]), "list of `Phase`"),
        (lambda: check_phases([Phase(1, ("a",), optimizer="sgd")]), "first phase has"),
        (lambda: stages(5, 2), "must not come after"),
        (lambda: stages(None, 2), "must not come after"),
        (lambda: stages(0), "backbone_epoch=0"),
        (lambda: stages(optimizers={1: "sgd"}), r"stages \[1\]"),
        (lambda: stages(optimizers="sgd"), "dict of stage to optimizer"),
        (lambda: stages(layers_per_epoch=0), "layers_per_epoch=0"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
