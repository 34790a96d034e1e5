from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from recipes.reproduction.stratified_order import stratified_order

LABELS = st.lists(st.sampled_from("aaabbc"), min_size=1, max_size=60)


@given(LABELS, st.integers(0, 5))
def test_every_example_is_there_once(labels, seed):
    assert sorted(stratified_order(labels, seed)) == list(range(len(labels)))


@given(LABELS, st.integers(0, 5))
def test_every_beginning_has_the_classes_in_proportion(labels, seed):
    order = stratified_order(labels, seed)
    totals = Counter(labels)
    for length in range(1, len(labels) + 1):
        counts = Counter(labels[index] for index in order[:length])
        for label, total in totals.items():
            expected = length * total / len(labels)
            # Off by the rounding of each class, no more.
            assert abs(counts[label] - expected) <= len(totals)


@given(LABELS, st.integers(0, 5))
def test_no_class_comes_twice_before_all_have_come(labels, seed):
    order = stratified_order(labels, seed)
    classes = len(set(labels))
    assert len({labels[index] for index in order[:classes]}) == classes


def test_the_seed_decides_the_order_within_a_class():
    labels = ["a"] * 20 + ["b"] * 20
    orders = [stratified_order(labels, seed) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != sorted(orders[0])
