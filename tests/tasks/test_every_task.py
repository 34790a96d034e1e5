"""Every kind of task in a model: wrong rows, weights, units, files and a server.

`tests/models/test_every_task.py` has what a trained model answers.
"""

import json

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from siatl_keras.export import export_saved_model
from siatl_keras.inputs import Column
from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.runs import predict_stream
from siatl_keras.tasks import TASKS, MultiLabel, Ordinal, Regression, SingleLabel
from siatl_keras.text import WordTokenizer

WORDS = ["so", "glad", "what", "a", "day", "not", "really", "bad", "flight"]
VOCABULARY = ["<pad>", "<s>", "</s>", "<unk>", *WORDS]
TEXTS = ["so glad", "what a day", "not really", "bad flight"] * 4
TASK_OF = {
    "single_label": (SingleLabel(["no", "yes"]), ["yes", "no", "no", "yes"]),
    "multi_label": (MultiLabel(["a", "b", "c"]), [["a"], ["b"], ["a", "c"], []]),
    "ordinal": (Ordinal([1, 2, 3, 4]), ["3", "2", "4", "1"]),
    "regression": (Regression(25.0, 10.0), [30.0, 20.0, 40.0, 10.0]),
}
WRONG = {
    "single_label": ("maybe", "maybe"),
    "multi_label": (["a", "d"], "a,d"),
    "ordinal": ("5", "5"),
    "regression": (float("inf"), float("inf")),
}
METRICS = {
    "single_label": ["accuracy", keras.metrics.AUC(name="auc")],
    "multi_label": ["accuracy", keras.metrics.AUC(multi_label=True, name="auc")],
    "ordinal": ["accuracy", "mae"],
    "regression": ["mae", keras.metrics.RootMeanSquaredError("rmse")],
}
LOSSES = {
    "single_label": "categorical_crossentropy",
    "multi_label": "binary_crossentropy",
    "ordinal": "sparse_categorical_crossentropy",
    "regression": keras.losses.Huber(),
}
# A server's process: nothing but TensorFlow and tensorflow_text.
SERVER = """
import json, sys
import tensorflow as tf, tensorflow_text
assert not {"siatl_keras", "keras_hub"} & set(sys.modules)
served = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
answer = served(text=tf.constant(json.loads(sys.argv[2])))
print(json.dumps([text.decode() for text in answer["labels"].numpy()]))
"""


def small_model(task, **kwargs):
    keras.utils.set_random_seed(3)
    return SiATLClassifier(
        LSTMBackbone(len(VOCABULARY), 6, hidden_dim=8, num_layers=1),
        preprocessor=SiATLPreprocessor(WordTokenizer(VOCABULARY), 12),
        task=task,
        units=5,
        **kwargs,
    )


@pytest.fixture(params=list(TASKS))
def kind(request):
    return request.param


@pytest.fixture
def task(kind):
    return TASK_OF[kind][0]


@pytest.fixture(scope="module")
def models():
    return {}


@pytest.fixture
def model(kind, models, task):
    """One for all tests of a kind, which learns nothing: its rate is 0."""
    if kind not in models:
        models[kind] = small_model(task)
        models[kind].compile(keras.optimizers.SGD(0.0))
    return models[kind]


@pytest.fixture
def labels(kind):
    return TASK_OF[kind][1] * 4


def as_tensors(labels):
    return [",".join(one) if isinstance(one, list) else one for one in labels]


def test_a_wrong_label_is_refused_with_its_row(kind, model, labels):
    labels[5] = WRONG[kind][0]
    for method in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match="^`y`, row 5: "):
            method(TEXTS, labels, verbose=0)
    with pytest.raises(ValueError, match=r"^`validation_data\[1\]`, row 5: "):
        model.fit(
            TEXTS, TASK_OF[kind][1] * 4, validation_data=(TEXTS, labels), verbose=0
        )


def test_a_wrong_row_of_a_dataset_ends_training_in_words(kind, model, labels):
    labels[5] = WRONG[kind][1]
    slices = (TEXTS, as_tensors(labels))
    dataset = tf.data.Dataset.from_tensor_slices(slices).batch(4)
    with pytest.raises(ValueError, match="^`x` holds (a|the) label"):
        model.fit(dataset, verbose=0)


@pytest.mark.parametrize("kind", ["multi_label"])
def test_wrong_0_1_rows_of_a_dataset_end_training_in_words(model):
    rows = np.zeros((16, 3), "int32")
    dataset = tf.data.Dataset.from_tensor_slices((TEXTS, rows)).batch(4)
    assert np.isfinite(model.fit(dataset, verbose=0).history["task_loss"]).all()
    rows[9, 1] = 2
    dataset = tf.data.Dataset.from_tensor_slices((TEXTS, rows)).batch(4)
    with pytest.raises(
        ValueError, match="^`x` holds rows of labels that are not between 0 and 1"
    ):
        model.fit(dataset, verbose=0)


def test_a_wrong_row_of_a_py_dataset_ends_training_in_words(kind, model, labels):
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            rows = slice(4 * index, 4 * index + 4)
            return TEXTS[rows], labels[rows]

    labels[5] = WRONG[kind][0]
    with pytest.raises(ValueError, match=r"^`x\[1\]\[1\]`, row 1: "):
        model.fit(Batches(), verbose=0)


@pytest.mark.parametrize("kind", ["multi_label"])
def test_labels_may_be_a_table_of_0_and_1(model, task, labels):
    rows = task.encode(Column(labels, "y"))
    table = pd.DataFrame(rows, columns=task.label_names)
    losses = []
    for y in (labels, rows, table):
        history = model.fit(TEXTS, y, 4, validation_data=(TEXTS, y), verbose=0)
        losses.append([history.history[f"{part}task_loss"] for part in ("", "val_")])
    np.testing.assert_allclose(losses[1:], [losses[0]] * 2, rtol=1e-5)
    with pytest.raises(ValueError, match="columns in the order of the labels"):
        model.fit(TEXTS, table[["c", "b", "a"]], verbose=0)


@pytest.mark.parametrize("kind", ["single_label", "ordinal"])
def test_class_weights_are_weights_of_the_texts(model, labels):
    table = {labels[0]: 3.0, labels[1]: 0.5}
    weights = [table.get(label, 1.0) for label in labels]
    losses = []
    for how in ({"class_weight": table}, {"sample_weight": weights}, {}):
        history = model.fit(TEXTS, labels, 4, verbose=0, **how)
        losses.append(history.history["task_loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert abs(losses[0][0] - losses[2][0]) > 1e-3


@pytest.mark.parametrize("kind", ["multi_label", "regression"])
@pytest.mark.parametrize("form", ["texts", "dataset"])
def test_class_weights_are_refused_where_a_text_has_no_class(form, model, labels):
    slices = (TEXTS, as_tensors(labels))
    dataset = tf.data.Dataset.from_tensor_slices(slices).batch(4)
    data = (TEXTS, labels) if form == "texts" else (dataset,)
    with pytest.raises(ValueError, match="Pass `sample_weight`"):
        model.fit(*data, class_weight={0: 2.0}, verbose=0)


def test_the_unit_of_the_numbers_does_not_change_what_is_learned():
    numbers = np.array(TASK_OF["regression"][1] * 4)
    losses, answers = [], []
    for scale, shift in ((1.0, 0.0), (1000.0, -7.0)):
        y = numbers * scale + shift
        model = small_model(Regression.from_labels(y))
        model.compile(keras.optimizers.Adam(0.02), run_eagerly=True)
        history = model.fit(TEXTS, y, 4, epochs=2, verbose=0).history
        losses.append(history["task_loss"])
        answers.append(
            (np.array(model.predict_labels(TEXTS[:4], verbose=0)) - shift) / scale
        )
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3)
    np.testing.assert_allclose(answers[1], answers[0], rtol=1e-3)
    assert losses[0][-1] < losses[0][0]


@pytest.mark.parametrize("kind", ["regression"])
def test_a_regression_has_no_probabilities(model):
    with pytest.raises(ValueError, match="Regression gives no probabilities"):
        model.predict_proba(TEXTS, verbose=0)
    with pytest.raises(ValueError, match='Pass "mae"'):
        model.compile(metrics=["accuracy"])


def test_losses_and_metrics_that_were_chosen_come_back_from_a_keras_file(
    kind, task, labels, tmp_path
):
    model = small_model(task)
    model.compile("adam", loss=LOSSES[kind], metrics=METRICS[kind])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.task == task
    how = {"verbose": 0, "return_dict": True}
    expected = model.evaluate(TEXTS, labels, **how)
    assert again.evaluate(TEXTS, labels, **how) == pytest.approx(expected, abs=1e-5)


def test_a_model_is_made_again_from_its_config(task, model):
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    again = keras.saving.deserialize_keras_object(config)
    assert again.task == task
    # The vocabulary lies in files, which a configuration alone does not have.
    x = model.preprocessor(TEXTS[:2])
    assert again.predict_on_batch(x).shape == (2, task.num_outputs)


def test_a_new_task_is_put_on_a_classifier_s_language_model(kind, task, tmp_path):
    first = small_model(SingleLabel(["x", "y", "z", "u", "v"]))
    first.save_to_preset(str(tmp_path / "first"))
    model = SiATLClassifier.from_preset(str(tmp_path / "first"), task=task)
    assert model.task == task
    assert model.predict(TEXTS[:2], verbose=0).shape == (2, task.num_outputs)
    np.testing.assert_array_equal(
        model.backbone.token_embedding.embeddings,
        first.backbone.token_embedding.embeddings,
    )
    wrong = [{"label_names": ["a", "b"]}, {"num_classes": 2}]
    for arguments in wrong:
        with pytest.raises(ValueError, match="Pass it alone"):
            SiATLClassifier.from_preset(str(tmp_path / "first"), task=task, **arguments)


@pytest.fixture(scope="module")
def tuned():
    """A model of labels whose thresholds are no halves."""
    task, labels = TASK_OF["multi_label"]
    model = small_model(task)
    # Far apart, so that no rounding brings a text to the other side of a threshold.
    for weight in model.task_head.trainable_variables:
        weight.assign(20 * weight)
    outputs = model.predict(TEXTS, verbose=0)
    targets = task.encode(Column(labels * 4, "y"))
    model.task = task.tuned_on(targets, outputs)
    return model


def test_tuned_thresholds_are_those_of_all_answers(tuned, run_python, tmp_path):
    plain = TASK_OF["multi_label"][0]
    outputs = tuned.predict(TEXTS[:4], verbose=0)
    names = tuned.predict_labels(TEXTS[:4], verbose=0)
    assert names != plain.answers(outputs), "thresholds of 0.5 answer otherwise"
    (rows,) = predict_stream(tuned, [TEXTS[:4]])
    assert [row["labels"] for row in rows] == names
    path = export_saved_model(tuned, tmp_path / "served")
    served = json.loads(run_python(path, json.dumps(TEXTS[:4]), code=SERVER))
    assert served == [",".join(labels) for labels in names]


def test_tuned_thresholds_survive_a_preset(tuned, tmp_path):
    tuned.save_to_preset(str(tmp_path / "preset"))
    again = SiATLClassifier.from_preset(str(tmp_path / "preset"))
    assert again.task == tuned.task
    assert again.task.thresholds != [0.5] * 3
    expected = tuned.predict_labels(TEXTS, verbose=0)
    assert again.predict_labels(TEXTS, verbose=0) == expected
