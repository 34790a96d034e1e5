import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from recipes.reproduction.paired_bootstrap import paired_bootstrap
from siatl_keras.evaluation import (
    MEASURES,
    evaluate_levels,
    evaluate_multi_label,
    evaluate_numbers,
    evaluate_predictions,
)

LABELS = np.array([0, 1] * 100)
RIGHT = LABELS.copy()
HALF_RIGHT = np.where(np.arange(200) % 4 < 2, LABELS, 1 - LABELS)


def classes(number, runs):
    """Labels of some texts, and what two methods' runs say of them."""
    return st.integers(1, 30).flatmap(
        lambda texts: st.tuples(
            *(
                st.lists(
                    st.lists(
                        st.integers(0, number - 1), min_size=texts, max_size=texts
                    ),
                    min_size=rows,
                    max_size=rows,
                )
                for rows in (1, *runs)
            )
        )
    )


def test_a_method_that_is_always_right_beats_one_that_guesses():
    result = paired_bootstrap(LABELS, [RIGHT], [HALF_RIGHT], num_classes=2)
    assert result.difference == pytest.approx(0.5)
    assert 0.4 < result.low < 0.5 < result.high < 0.6
    # As small as 10 000 draws can make it.
    assert result.p_value == pytest.approx(2 / 10_001)


def test_a_method_does_not_differ_from_itself():
    result = paired_bootstrap(LABELS, [HALF_RIGHT], [HALF_RIGHT], num_classes=2)
    assert dataclasses.astuple(result) == (0.0, 0.0, 0.0, 1.0)


def test_one_text_more_in_two_hundred_is_no_difference():
    one_wrong = RIGHT.copy()
    one_wrong[7] = 0
    result = paired_bootstrap(LABELS, [RIGHT], [one_wrong], num_classes=2)
    assert 0 < result.difference < 0.01
    # Every third or so sample of texts lacks that text: exp(-1).
    assert result.p_value == pytest.approx(2 * np.exp(-1), abs=0.03)


def test_pairing_sees_what_two_separate_intervals_would_not():
    generator = np.random.default_rng(0)
    first = np.where(generator.random(200) < 0.7, LABELS, 1 - LABELS)
    second = first.copy()
    wrong = np.flatnonzero(first == LABELS)[:8]
    second[wrong] = 1 - second[wrong]
    paired = paired_bootstrap(LABELS, [first], [second], num_classes=2)
    assert paired.p_value < 0.01
    # The same figures with the errors shuffled over the texts: noise hides them.
    shuffled = np.where(generator.permutation(second == LABELS), LABELS, 1 - LABELS)
    assert paired_bootstrap(LABELS, [first], [shuffled], num_classes=2).p_value > 0.1


def test_the_interval_is_that_of_drawing_texts_one_by_one():
    generator = np.random.default_rng(1)
    labels, first, second = generator.integers(0, 3, (3, 60))
    result = paired_bootstrap(labels, [first], [second], num_classes=3)
    drawn = []
    for _ in range(2000):
        index = generator.integers(0, 60, 60)
        scores = [
            f1_score(
                labels[index],
                side[index],
                average="macro",
                labels=range(3),
                zero_division=0,
            )
            for side in (first, second)
        ]
        drawn.append(scores[0] - scores[1])
    assert [result.low, result.high] == pytest.approx(
        np.percentile(drawn, [2.5, 97.5]), abs=0.02
    )


@settings(max_examples=25)
@given(classes(3, (2, 1)))
def test_the_difference_is_that_of_scikit_learn_s_macro_f1(data):
    (labels,), first, second = data
    result = paired_bootstrap(labels, first, second, num_classes=3, samples=50)
    scores = [
        [
            f1_score(labels, run, average="macro", labels=range(3), zero_division=0)
            for run in side
        ]
        for side in (first, second)
    ]
    assert result.difference == pytest.approx(np.mean(scores[0]) - np.mean(scores[1]))
    assert result.low <= result.high and 0 < result.p_value <= 1


@settings(max_examples=25)
@given(classes(2, (1, 2)))
def test_changing_sides_changes_the_sign_alone(data):
    (labels,), first, second = data
    there = paired_bootstrap(labels, first, second, num_classes=2, samples=50)
    back = paired_bootstrap(labels, second, first, num_classes=2, samples=50)
    assert back.difference == pytest.approx(-there.difference)
    assert back.low == pytest.approx(-there.high)
    assert back.high == pytest.approx(-there.low)
    assert back.p_value == there.p_value


def test_the_seed_decides_and_the_number_of_draws_is_kept():
    def p_value(seed, samples=1001):
        sides = [RIGHT], [np.roll(RIGHT, 1) | (np.arange(200) > 3)]
        return paired_bootstrap(
            LABELS, *sides, num_classes=2, samples=samples, seed=seed
        )

    assert p_value(0) == p_value(0)
    assert p_value(0) != p_value(1)
    assert p_value(0, samples=1).low == p_value(0, samples=1).high


@pytest.mark.parametrize(
    ("labels", "first", "second", "samples", "message"),
    [
        ([], [[]], [[]], 10, "at least one text"),
        ([0, 1], np.zeros((0, 2), int), [[0, 1]], 10, "at least one text and one run"),
        ([0, 1], [[0, 1]], [[0, 1, 1]], 10, "must be .runs, texts."),
        ([0, 1], [[0, 2]], [[0, 1]], 10, "0 to 1 .*Received: 0 to 2"),
        ([0, 1], [[0, 1]], [[0, 1]], 0, "samples=0"),
    ],
)
def test_what_cannot_be_compared_is_refused(labels, first, second, samples, message):
    with pytest.raises(ValueError, match=message):
        paired_bootstrap(labels, first, second, num_classes=2, samples=samples)


def reports(kind):
    """What is true, what two runs say, and the report of one, for a kind of task."""
    random = np.random.default_rng(3)
    if kind == "labels":
        targets, *runs = random.integers(0, 2, (3, 40, 5))
        return targets, runs, lambda t, p: evaluate_multi_label(t, p, "abcde")
    if kind == "numbers":
        targets = random.normal(5.0, 2.0, 40)
        return (
            targets,
            [targets + random.normal(size=40) for _ in "12"],
            evaluate_numbers,
        )
    targets, *runs = random.integers(0, 4, (3, 40))
    report = evaluate_levels if kind == "levels" else evaluate_predictions
    return targets, runs, lambda t, p: report(t, p, "abcd")


@pytest.mark.parametrize(
    ("kind", "measure"),
    [
        ("classes", "macro_f1"),
        ("classes", "accuracy"),
        ("labels", "macro_f1"),
        ("labels", "micro_f1"),
        ("labels", "exact_match"),
        ("levels", "quadratic_kappa"),
        ("levels", "mae"),
        ("numbers", "mae"),
        ("numbers", "rmse"),
        ("numbers", "pearson"),
    ],
)
def test_every_measure_is_drawn_as_its_report_has_it(kind, measure):
    targets, runs, report = reports(kind)
    result = paired_bootstrap(targets, *runs, measure, num_classes=4)
    figures = [report(targets, run).measures[measure] for run in runs]
    assert result.difference == pytest.approx(figures[0] - figures[1], abs=1e-9)
    random = np.random.default_rng(0)
    drawn = []
    for _ in range(400):
        index = random.integers(0, 40, 40)
        first, second = (
            report(targets[index], run[index]).measures[measure] for run in runs
        )
        drawn.append(first - second)
    width = result.high - result.low
    assert [result.low, result.high] == pytest.approx(
        np.percentile(drawn, [2.5, 97.5]), abs=0.15 * width
    )


def test_a_measure_of_ranks_or_an_unknown_one_is_refused():
    assert MEASURES["spearman"].columns is None
    for name in ("spearman", "f2"):
        with pytest.raises(ValueError, match=f"`measure` must be one of.*'{name}'"):
            paired_bootstrap([0.0, 1.0], [[0.0, 1.0]], [[1.0, 0.0]], name)
