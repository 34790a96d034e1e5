import numpy as np
import pytest
from matplotlib.image import imread

from siatl_keras.evaluation import (
    calibration_of_answers,
    evaluate_predictions,
    plot_confusion_matrix,
    plot_perplexity,
    plot_reliability,
    plot_training,
)

EPOCH = {
    "epoch": 1,
    "stage": 1,
    "gamma": 0.2,
    "task_loss": 1.0,
    "val_task_loss": 1.1,
    "val_lm_loss": 5.0,
    "macro_f1": 0.3,
    "val_macro_f1": 0.4,
}
LATER = {**EPOCH, "epoch": 2, "stage": 2, "lm_loss": 4.8, "gamma": 0.19}


def has_colours(path):
    return imread(path)[..., :3].std() > 0.05


@pytest.mark.parametrize("classes", [2, 20])
def test_a_confusion_matrix_grows_with_its_classes(tmp_path, classes):
    labels = np.arange(classes).repeat(3)
    names = [f"intent {number}" for number in range(classes)]
    report = evaluate_predictions(labels, labels[::-1], names)
    plot_confusion_matrix(report, tmp_path / "confusion.png")
    height, width, _ = imread(tmp_path / "confusion.png").shape
    # 0.55 inches a class at 120 dots an inch: room for five digits.
    assert min(height, width) > 66 * classes
    assert has_colours(tmp_path / "confusion.png")


def test_a_confusion_matrix_of_many_classes_stays_small(tmp_path):
    labels = np.arange(150).repeat(4)
    names = [f"intent {number}" for number in range(150)]
    answers = np.where(np.arange(600) % 4, labels, labels[::-1])
    report = evaluate_predictions(labels, answers, names)
    plot_confusion_matrix(report, tmp_path / "confusion.svg")
    assert (tmp_path / "confusion.svg").stat().st_size < 500_000
    plot_confusion_matrix(report, tmp_path / "confusion.png")
    height, width, _ = imread(tmp_path / "confusion.png").shape
    assert max(height, width) < 5000
    assert has_colours(tmp_path / "confusion.png")


def test_labels_are_no_formulas(tmp_path):
    report = evaluate_predictions([0, 1], [0, 1], ["$5_$", "100 % \\frac"])
    plot_confusion_matrix(report, tmp_path / "confusion.png")
    assert (tmp_path / "confusion.png").exists()


@pytest.mark.parametrize(
    "epochs",
    [
        [EPOCH, LATER],
        [EPOCH],
        [{**EPOCH, "lm_loss": np.nan}, LATER],
        [{"epoch": 1, "task_loss": 1.0, "val_task_loss": 1.1}],
        [{"epoch": 1, "task_loss": 1.0, "val_mae": 1.1, "mae": 1.0}],
        [{"epoch": 1, "val_quadratic_kappa": 0.1, "mae": 1.0}],
        [EPOCH, {**LATER, "task_loss": None, "lm_loss": float("nan"), "gamma": None}],
    ],
)
def test_training_is_drawn_with_whatever_the_epochs_log(tmp_path, epochs):
    plot_training(epochs, tmp_path / "training.png")
    assert imread(tmp_path / "training.png").shape[:2] == (720, 900)


def test_perplexity_is_drawn(tmp_path):
    history = {"perplexity": [900.0, 400.0], "val_perplexity": [700.0, 300.0]}
    plot_perplexity(history, 250, 55.0, tmp_path / "deep" / "perplexity.png")
    assert imread(tmp_path / "deep" / "perplexity.png").shape[:2] == (480, 840)


@pytest.mark.parametrize(
    "history",
    [
        {"perplexity": [900.0, None], "val_perplexity": [700.0, float("nan")]},
        {"perplexity": [float("inf")], "val_perplexity": [None]},
    ],
)
def test_perplexities_that_are_not_finite_are_left_out(tmp_path, history):
    plot_perplexity(history, 250, 55.0, tmp_path / "perplexity.png")
    assert imread(tmp_path / "perplexity.png").shape[:2] == (480, 840)


@pytest.mark.parametrize("texts", [1, 40])
def test_reliability_is_drawn_of_one_text_and_of_many(tmp_path, texts):
    probabilities = np.random.default_rng(0).dirichlet([1.0, 1.0], texts)
    answers = probabilities.argmax(1)
    calibration = calibration_of_answers(answers, answers, probabilities)
    plot_reliability(calibration, tmp_path / "reliability.png")
    assert has_colours(tmp_path / "reliability.png")
