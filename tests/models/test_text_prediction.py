"""predict: task logits of texts in their order, whatever holds them."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from rigs.raw_batches import NUMBERS, Batches, slices


@pytest.fixture
def model(make_classifier):
    return make_classifier()


def test_predict_takes_texts_by_position_whatever_holds_them(model, texts):
    expected = model.predict(texts, verbose=0)
    order = [3, 1, 7, 0, 2, 6, 5, 4]
    shuffled = pd.Series(texts).iloc[order]
    np.testing.assert_allclose(model.predict(shuffled, verbose=0), expected[order])
    filtered = pd.Series(texts)[lambda column: column.str.contains("flight")]
    rows = [row for row, text in enumerate(texts) if "flight" in text]
    np.testing.assert_allclose(
        model.predict(filtered, verbose=0), expected[rows], atol=1e-6
    )
    for same in (
        tuple(texts),
        np.array(texts),
        np.array(texts, object),
        np.array(texts, "S"),
        tf.constant(texts),
        pd.Series(texts, index=[0] * 8),
        iter(texts),
        (text for text in texts),
    ):
        np.testing.assert_allclose(model.predict(same, verbose=0), expected)


def test_predict_takes_datasets_with_and_without_labels(model, texts):
    expected = model.predict(texts, verbose=0)
    raw = tf.data.Dataset.from_tensor_slices(texts)
    for data in (
        raw.batch(3),
        slices(texts, NUMBERS).batch(3),
        slices(texts, NUMBERS, np.ones(8)).batch(3),
        raw.batch(3).map(model.preprocessor),
        slices(texts, NUMBERS).batch(3).map(model.preprocessor),
        Batches(texts),
        Batches(np.array(texts), NUMBERS),
    ):
        received = model.predict(data, verbose=0)
        np.testing.assert_allclose(received, expected, atol=1e-6)


def test_predict_of_no_texts_is_an_empty_row_of_classes(model):
    for none in ([], np.array([]), pd.Series([], dtype=str), iter([])):
        received = model.predict(none, verbose=0)
        assert received.shape == (0, 2)
        assert received.dtype == np.float32


def test_predict_builds_no_pipeline_for_a_list(model, monkeypatch):
    model.predict(["so glad"], verbose=0)
    model.predict(["so glad my flight"], verbose=0)
    function = model.predict_function
    count = function.experimental_get_tracing_count()
    monkeypatch.setattr(tf.data.Dataset, "map", None)
    for length in range(1, 9):
        model.predict([" ".join(["so"] * length)] * length, verbose=0)
    assert model.predict_function is function
    assert function.experimental_get_tracing_count() <= count + 1


def test_predict_calls_callbacks_and_stops_when_asked(model, texts):
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            seen.append(logs["outputs"].shape)
            self.model.stop_predicting = batch == 1

    model.predict(texts, batch_size=3, verbose=0, callbacks=[Watch()])
    assert seen == [(3, 2), (3, 2)]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ("one string", "Pass a list"),
        (None, "`x` is missing"),
        (3, "Received: int"),
        (["good", None], "row 1"),
        (pd.DataFrame({"text": ["a"]}), r"table\['text'\]"),
        (iter([["good"], ["bad"]]), "row 0: .*a list"),
        (tf.data.Dataset.from_tensor_slices(["a"]), "not batched"),
    ],
)
def test_predict_refuses_with_the_remedy(model, x, message):
    with pytest.raises(ValueError, match=message):
        model.predict(x, verbose=0)


def test_attention_takes_what_predict_takes(model, texts):
    expected = model.attention(texts)
    assert model.attention(pd.Series(texts, index=range(8, 0, -1))) == expected
    with pytest.raises(ValueError, match="`texts` must be a list"):
        model.attention("one string")
