"""Every kind of task, from raw texts to a SavedModel, and back from what was saved."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from rigs.raw_batches import Batches
from rigs.round_trips import through_keras_file, through_preset
from siatl_keras.export import export_saved_model
from siatl_keras.inputs import Column
from siatl_keras.models import SiATLClassifier
from siatl_keras.runs import format_header, format_prediction, predict_stream
from siatl_keras.tasks import TASKS, MultiLabel, Ordinal, Regression, SingleLabel

TEXTS = ["so glad", "what a day", "not really", "bad flight"] * 6
TASK_OF = {
    "single_label": (SingleLabel(["no", "yes"]), ["yes", "no", "no", "yes"]),
    "multi_label": (
        MultiLabel(["a", "b", "c"]),
        [["a"], ["b"], ["a", "c"], []],
    ),
    "ordinal": (Ordinal([1, 2, 3, 4]), ["3", "2", "4", "1"]),
    "regression": (Regression.from_labels([30, 20, 40, 10]), [30, 20, 40, 10]),
}
# A server's process: nothing but TensorFlow and tensorflow_text.
SERVER = """
import json, sys
import tensorflow as tf, tensorflow_text
assert not {"siatl_keras", "keras_hub"} & set(sys.modules)
served = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
answer = served(text=tf.constant(json.loads(sys.argv[2])))
print(json.dumps({name: value.numpy().tolist() for name, value in answer.items()},
                 default=bytes.decode))
"""


def labels_of(kind):
    return TASK_OF[kind][1] * 6


# A change runs those of which a text has one answer, and several.
SLOW = ("ordinal", "regression")


@pytest.fixture(scope="module")
def trained():
    return {}


@pytest.fixture(
    params=[
        pytest.param(kind, marks=[pytest.mark.slow] if kind in SLOW else [])
        for kind in TASKS
    ]
)
def kind(request):
    return request.param


@pytest.fixture
def model(kind, trained, make_classifier):
    """A classifier that has learned the labels of the texts."""
    if kind not in trained:
        model = make_classifier(label_names=None, task=TASK_OF[kind][0], units=8)
        model.compile(keras.optimizers.Adam(0.03), loss_weights={"lm": 0.01})
        history = model.fit(TEXTS, labels_of(kind), 8, epochs=60, verbose=0)
        trained[kind] = model, history
    return trained[kind][0]


def test_the_labels_are_learned(kind, model, trained):
    _, history = trained[kind]
    losses = history.history["task_loss"]
    assert losses[-1] < losses[0] / 2
    assert {*TASKS[kind].measured} <= history.history.keys()
    answers = model.predict_labels(TEXTS[:4], verbose=0)
    if kind == "regression":
        np.testing.assert_allclose(answers, TASK_OF[kind][1], atol=6)
    else:
        assert answers == TASK_OF[kind][1]


def test_figures_are_the_same_from_lists_and_from_datasets(kind, model):
    labels = labels_of(kind)
    expected = _figures(model.evaluate(TEXTS, labels, verbose=0, return_dict=True))
    joined = [",".join(one) if isinstance(one, list) else one for one in labels]
    datasets = [
        tf.data.Dataset.from_tensor_slices((TEXTS, joined)).batch(5),
        Batches(TEXTS, labels),
    ]
    for dataset in datasets:
        received = _figures(model.evaluate(dataset, verbose=0, return_dict=True))
        assert received == pytest.approx(expected, abs=1e-4)


def _figures(logs):
    """Returns those of the task: the LM's are means over batches of several sizes."""
    others = ("loss", "lm_loss", "perplexity")
    return {name: value for name, value in logs.items() if name not in others}


def test_texts_have_weights(kind, model):
    labels, weights = labels_of(kind), [1.0, 0.0, 0.0, 0.0] * 6
    how = {"verbose": 0, "return_dict": True}
    weighed = model.evaluate(TEXTS, labels, sample_weight=weights, **how)
    first = model.evaluate(TEXTS[::4], labels[::4], **how)
    # Keras divides by the number of texts.
    assert weighed["task_loss"] * 4 == pytest.approx(first["task_loss"], abs=1e-4)


def test_all_ways_out_give_the_same_answers(kind, model, tmp_path):
    outputs = model.predict(TEXTS[:4], verbose=0)
    names = model.predict_labels(TEXTS[:4], verbose=0)
    (rows,) = predict_stream(model, [TEXTS[:4]])
    expected = model.task.answer_rows(outputs)
    for text, row, other in zip(TEXTS, rows, expected, strict=False):
        assert row["text"] == text
        for name, value in other.items():
            exact = isinstance(value, str | list)
            assert row[name] == (value if exact else pytest.approx(value, abs=1e-4))
        fields = format_prediction(row, as_json=False).split("\t")
        assert len(fields) == len(format_header(model.task).split("\t"))
        assert json.loads(format_prediction(row, as_json=True)) == row
    path = export_saved_model(model, tmp_path / "served")
    command = [sys.executable, "-c", SERVER, path, json.dumps(TEXTS[:4])]
    served = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    if kind == "regression":
        np.testing.assert_allclose(served["value"], names, rtol=1e-4)
        return
    np.testing.assert_allclose(
        served["probabilities"], model.predict_proba(TEXTS[:4], verbose=0), atol=1e-5
    )
    if kind == "multi_label":
        assert served["labels"] == [",".join(labels) for labels in names]
        assert np.sum(served["is_label"], 1).tolist() == list(map(len, names))
    else:
        assert served["label"] == names
        assert [model.label_names[i] for i in served["label_id"]] == names


def test_what_is_saved_comes_back_with_its_task(kind, model, tmp_path):
    expected = model.predict(TEXTS, verbose=0)
    targets = model.task.encode(Column(labels_of(kind), "y"))
    before, model.task = model.task, model.task.tuned_on(targets, expected)
    for round_trip in (through_keras_file, through_preset):
        assert round_trip(model, tmp_path, TEXTS).task == model.task
    model.task = before


def test_a_task_is_a_value(kind):
    task = TASK_OF[kind][0]
    again = type(task).from_config(task.get_config())
    assert again == task and hash(again) == hash(task)
    assert repr(again) == repr(task) and repr(task).startswith(type(task).__name__)
    others = [other for name, (other, _) in TASK_OF.items() if name != kind]
    assert all(other != task for other in others)


def test_texts_are_held_out_and_weighed(kind, make_classifier):
    model = make_classifier(label_names=None, task=TASK_OF[kind][0])
    how = {"epochs": 1, "verbose": 0, "validation_split": 0.25}
    if kind in ("single_label", "ordinal"):
        how["class_weight"] = "balanced"
    history = model.fit(TEXTS, labels_of(kind), **how).history
    assert np.isfinite(history["val_task_loss"]).all()
    if kind in ("multi_label", "regression"):
        with pytest.raises(ValueError, match="Pass `sample_weight`"):
            model.fit(TEXTS, labels_of(kind), class_weight="balanced", verbose=0)


def test_a_new_head_is_put_on_a_language_model(kind, make_lm, tmp_path):
    make_lm().save_to_preset(str(tmp_path / "lm"))
    task = TASK_OF[kind][0]
    model = SiATLClassifier.from_preset(str(tmp_path / "lm"), task=task)
    assert model.task == task
    assert model.predict(["so glad"], verbose=0).shape == (1, task.num_outputs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "ordinal"}, "`task` must be a `siatl_keras.tasks.Task`"),
        ({"task": SingleLabel}, "`task` must be a"),
        ({"task": Regression(), "num_classes": 2}, "without `num_classes`"),
        ({"task": Regression(), "label_names": ["a", "b"]}, "`label_names`"),
        ({}, "Pass `num_classes`, or `label_names`.*or another `task`"),
    ],
)
def test_what_is_no_task_is_refused(arguments, message, make_classifier):
    with pytest.raises(ValueError, match=message):
        make_classifier(**{"label_names": None, **arguments})


def test_calibrating_fits_the_task_on_the_texts_given(kind, make_classifier):
    model = make_classifier(label_names=None, task=TASK_OF[kind][0])
    before = model.predict(TEXTS, verbose=0)
    targets = model.task.encode(Column(labels_of(kind), "y"))
    expected = model.task.tuned_on(targets, before)
    model.calibrate(TEXTS, labels_of(kind))
    assert model.task == expected
    np.testing.assert_allclose(model.predict(TEXTS, verbose=0), before, atol=1e-6)
    if kind != "regression":
        np.testing.assert_allclose(
            model.predict_proba(TEXTS, verbose=0),
            expected.probabilities(before),
            atol=1e-6,
        )
        with pytest.raises(ValueError, match="`y`"):
            model.calibrate(TEXTS, labels_of(kind)[1:])


def test_abstaining_is_served_as_it_is_predicted(make_classifier, run_python, tmp_path):
    model = make_classifier(label_names=["bad", "good"])
    for weight in model.task_head.trainable_variables:
        weight.assign(20 * weight)
    sure = np.sort(model.predict_proba(TEXTS[:4], verbose=0).max(1))
    model.task = model.task.abstaining(float(sure[1:3].mean()))
    names = model.predict_labels(TEXTS[:4], verbose=0)
    assert 0 < names.count(None) < 4
    path = export_saved_model(model, tmp_path / "served")
    served = json.loads(run_python(path, json.dumps(TEXTS[:4]), code=SERVER))
    assert served["label"] == [name or "" for name in names]
    assert [number < 0 for number in served["label_id"]] == [n is None for n in names]
