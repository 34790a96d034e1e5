"""Probabilities and labels: one reading of the logits, wherever it is asked for."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from scipy.special import softmax

from rigs.small_backbones import with_classes_apart
from siatl_keras.data import read_examples
from siatl_keras.evaluation import Predictions
from siatl_keras.export import export_saved_model
from siatl_keras.runs import evaluate_classifier, predict_stream


@pytest.fixture
def model(make_classifier):
    return with_classes_apart(make_classifier())


def test_probabilities_and_labels_are_those_of_the_logits(model, texts):
    logits = model.predict(texts, verbose=0)
    probabilities = model.predict_proba(texts, verbose=0)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, softmax(logits, axis=1), atol=1e-6)
    labels = model.predict_labels(texts, verbose=0)
    assert labels == [model.label_names[best] for best in logits.argmax(1)]
    assert len(set(labels)) == 2


def test_they_take_what_predict_takes(model, texts):
    expected = model.predict_labels(texts, verbose=0)
    shuffled = pd.Series(texts).iloc[::-1]
    assert model.predict_labels(shuffled, verbose=0) == expected[::-1]
    dataset = tf.data.Dataset.from_tensor_slices(texts).batch(3)
    assert model.predict_labels(dataset, verbose=0) == expected
    assert model.predict_labels(iter(texts), batch_size=3, verbose=0) == expected
    assert model.predict_labels([], verbose=0) == []
    assert model.predict_proba([], verbose=0).shape == (0, 2)
    with pytest.raises(ValueError, match="`x`.*list"):
        model.predict_labels("one text")


def test_all_ways_out_give_the_same_answers(model, texts, labels, tmp_path):
    probabilities = model.predict_proba(texts, verbose=0)
    names = model.predict_labels(texts, verbose=0)
    served = tf.saved_model.load(export_saved_model(model, tmp_path / "served"))
    answer = served.signatures["serving_default"](text=tf.constant(texts))
    assert [name.decode() for name in answer["label"].numpy()] == names
    np.testing.assert_allclose(answer["probabilities"], probabilities, atol=1e-6)
    (stream,) = predict_stream(model, [texts])
    assert [row["label"] for row in stream] == names
    np.testing.assert_allclose(
        [list(row["probabilities"].values()) for row in stream],
        probabilities,
        atol=1e-6,
    )
    examples = pd.DataFrame({"text": texts, "label": labels})
    path = tmp_path / "test.tsv"
    examples.to_csv(path, sep="\t", index=False)
    evaluate_classifier(model, read_examples(path), tmp_path)
    written = Predictions.read(tmp_path / "predictions.tsv")
    np.testing.assert_allclose(written.scores, probabilities, atol=1e-6)
    assert [model.label_names[best] for best in written.predicted] == names
