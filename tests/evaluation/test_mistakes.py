"""The wrong answers that a model was surest of, of every kind of answer."""

import numpy as np

from siatl_keras.evaluation import (
    Predictions,
    mistakes_text,
    most_confident_mistakes,
)
from siatl_keras.evaluation.mistakes import COLUMNS


def found(targets, answers, scores, names=(), texts=None, **how):
    predictions = Predictions(*map(np.array, (targets, answers, scores)), names)
    texts = texts or [f"text {row}" for row in range(len(targets))]
    mistakes = most_confident_mistakes(predictions, texts, **how)
    return [
        (m.row, m.label, m.answer, round(m.confidence, 2)) for m in mistakes
    ], mistakes


def test_of_classes_they_come_by_the_probability_of_the_answer():
    scores = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]]
    rows, _ = found([0, 0, 0, 1], [0, 1, 1, 1], scores, ("bad", "good"))
    assert rows == [(2, "bad", "good", 0.8), (1, "bad", "good", 0.6)]
    assert len(found([0] * 4, [1] * 4, scores, most=3)[0]) == 3


def test_of_several_labels_the_surest_wrong_decision_counts():
    targets = [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    answers = [[1, 0, 1], [1, 0, 0], [0, 0, 1]]
    scores = [[0.9, 0.1, 0.7], [0.8, 0.05, 0.1], [0.1, 0.1, 0.9]]
    rows, _ = found(targets, answers, scores, ("a", "b", "c"))
    assert rows == [(1, "a,b", "a", 0.95), (0, "a", "a,c", 0.7)]


def test_of_numbers_the_farthest_come_first():
    empty = np.zeros((3, 0))
    rows, mistakes = found([1.0, 2.0, 3.0], [1.0, 2.5, 7.0], empty)
    assert rows == [(2, "3.0", "7.0", 4.0), (1, "2.0", "2.5", 0.5)]
    assert mistakes_text(mistakes, are_numbers=True).startswith("farthest from the")


def test_a_line_fits_and_a_pair_is_both_texts():
    texts = [("one\ntext " * 30, "another"), ("so", "what")]
    _, mistakes = found([0, 0], [1, 1], [[0.0, 1.0], [0.1, 0.9]], ("a", "b"), texts)
    heading, long, short = mistakes_text(mistakes).splitlines()
    assert heading == "surest wrong answers:"
    assert len(long) == COLUMNS and long.endswith("…")
    assert short == " 0.90  b (true: a)  so / what"


def test_where_all_is_right_nothing_is_said():
    rows, mistakes = found([0, 1], [0, 1], np.eye(2))
    assert rows == [] and mistakes_text(mistakes) == ""
