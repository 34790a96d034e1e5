import pytest
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.training import layers_learning, stage_of

GROUPS = {"task": ["head"], "backbone": ["low", "middle", "high"], "embedding": ["e"]}
epochs = st.integers(1, 20)


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [(1, ["head"]), (2, ["head", *GROUPS["backbone"]]), (5, ["head", "low", "e"])],
)
def test_the_paper_s_epochs(epoch, expected):
    learning = layers_learning(GROUPS, epoch, 2, 5)
    assert set(expected) <= {x for layers in learning.values() for x in layers}
    assert bool(learning["backbone"]) == (epoch >= 2)
    assert bool(learning["embedding"]) == (epoch >= 5)


@given(epochs, epochs, epochs)
def test_what_learns_goes_on_learning(epoch, first, second):
    n, k = sorted((first, second))
    before = layers_learning(GROUPS, epoch, n, k, layers_per_epoch=1)
    after = layers_learning(GROUPS, epoch + 1, n, k, layers_per_epoch=1)
    for group in GROUPS:
        assert set(before[group]) <= set(after[group])


@given(epochs, epochs, epochs)
def test_no_layer_learns_below_a_frozen_one(epoch, first, second):
    n, k = sorted((first, second))
    learning = layers_learning(GROUPS, epoch, n, k, layers_per_epoch=1)
    bottom_up = ["e", "low", "middle", "high", "head"]
    flags = [any(x in layers for layers in learning.values()) for x in bottom_up]
    assert flags == sorted(flags)


def test_layers_thaw_from_the_top_a_few_an_epoch():
    thawed = [layers_learning(GROUPS, e, 2, 9, 2)["backbone"] for e in (1, 2, 3)]
    assert thawed == [[], ["middle", "high"], ["low", "middle", "high"]]


@given(epochs)
def test_none_means_never(epoch):
    assert stage_of(epoch, None, None) == 1
    assert layers_learning(GROUPS, epoch, None, None)["backbone"] == []


def test_one_means_from_the_start():
    assert stage_of(1, 1, 1) == 3
