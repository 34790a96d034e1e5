"""From outputs to answers, and to none."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from siatl_keras.data import read_examples
from siatl_keras.inputs import Column
from siatl_keras.models import SiATLClassifier
from siatl_keras.tasks import MultiLabel, Ordinal, Regression, SingleLabel
from siatl_keras.tasks.confidence import Confidence

REPOSITORY = Path(__file__).parents[2]
NAMES = ["no", "yes"]
# Probabilities of "yes" of 0.5, 0.88 and 0.12.
OUTPUTS = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0]], "float32")


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf"), "1"])
def test_a_temperature_is_a_number_above_0(temperature):
    with pytest.raises(ValueError, match="`temperature` must be a number above 0"):
        Confidence(temperature)


@pytest.mark.parametrize("abstain_below", [-0.1, 1.0, float("nan"), "0.5"])
def test_the_least_probability_is_a_share(abstain_below):
    with pytest.raises(ValueError, match="`abstain_below` must be a number in"):
        Confidence(1.0, abstain_below)


def test_a_temperature_changes_probabilities_and_no_answer():
    plain, warm = SingleLabel(NAMES), SingleLabel(NAMES, temperature=2.0)
    assert warm.answers(OUTPUTS) == plain.answers(OUTPUTS)
    np.testing.assert_allclose(
        warm.probabilities(OUTPUTS), plain.probabilities(OUTPUTS / 2), rtol=1e-6
    )
    served = warm.served(tf.constant(OUTPUTS))
    np.testing.assert_allclose(
        served["probabilities"], warm.probabilities(OUTPUTS), rtol=1e-6
    )


def test_none_is_answered_below_the_least_probability():
    task = SingleLabel(NAMES).abstaining(0.6)
    assert task.answers(OUTPUTS) == [None, "yes", "no"]
    assert [row["label"] for row in task.answer_rows(OUTPUTS)] == [None, "yes", "no"]
    served = task.served(tf.constant(OUTPUTS))
    assert served["label"].numpy().tolist() == [b"", b"yes", b"no"]
    assert served["label_id"].numpy().tolist() == [-1, 1, 0]
    assert served["probabilities"].shape == (3, 2)


def test_what_is_as_probable_is_answered():
    assert SingleLabel(NAMES).abstaining(0.5).answers(OUTPUTS[:1]) == ["no"]


def test_levels_abstain_by_the_probability_of_their_median():
    task = Ordinal(["low", "middle", "high"]).abstaining(0.5)
    outputs = np.array([[9.0, 9.0], [1.0, 0.0]], "float32")
    assert task.answers(outputs) == ["high", None]
    assert task.served(tf.constant(outputs))["label"].numpy().tolist() == [b"high", b""]


@pytest.mark.parametrize("task", [MultiLabel(NAMES), Regression()])
def test_tasks_without_one_answer_and_its_probability_cannot_abstain(task):
    with pytest.raises(ValueError, match="answers with none. Received: 0.5"):
        task.abstaining(0.5)


def test_an_abstaining_task_keeps_its_temperature():
    task = SingleLabel(NAMES, temperature=1.5).abstaining(0.7)
    assert task.get_config()["temperature"] == 1.5
    again = SingleLabel.from_config(task.get_config())
    assert again == task != task.abstaining(0.0)


@pytest.mark.slow
def test_texts_of_no_class_get_no_answer(shared_data):
    folder = shared_data / "clinc150_10shot"
    train, validation, test, outside = (
        read_examples(folder / f"{name}.tsv")
        for name in ("train", "validation", "test", "out_of_scope")
    )
    model = SiATLClassifier.from_preset(
        str(REPOSITORY / "saved_models" / "tweets_lstm_small_en"),
        label_names=sorted(set(train.labels)),
        pooling="mean",
        num_layers=0,
        standardize=True,
    )
    model.backbone.trainable = False
    model.compile("sgd")
    model.fit(train.texts, train.labels, epochs=1, verbose=0)
    model.calibrate(validation.texts, validation.labels)
    model.task = model.task.abstaining(0.5)
    answers = model.predict_labels(test.texts, verbose=0)
    given = [a for a in zip(answers, test.labels, strict=True) if a[0] is not None]
    of_outside = model.predict_labels(outside.texts, verbose=0)
    answered = len(given) / len(answers)
    answered_outside = np.mean([answer is not None for answer in of_outside])
    right = np.mean([answer == label for answer, label in given])
    plain = model.task.abstaining(0.0).report(
        model.task.encode(Column.of_file(test)), model.predict(test.texts, verbose=0)
    )
    assert answered_outside < 0.6 * answered
    assert right > plain.accuracy + 0.1
    assert plain.calibration.ece < 0.1
    # The head's start is all but calibrated, so that the test texts cannot tell.
    fitted_on = model.task.encode(Column.of_file(validation))
    raw = model.predict(validation.texts, verbose=0)
    scaled = raw / model.task.confidence.temperature
    assert model.task.mean_loss(fitted_on, scaled) < model.task.mean_loss(
        fitted_on, raw
    )
