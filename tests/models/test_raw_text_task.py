"""fit and evaluate: what Keras, pandas and scikit-learn users pass them."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from rigs.raw_batches import NUMBERS, Batches, slices
from siatl_keras.models import SiATLClassifier


@pytest.fixture
def model(make_classifier):
    model = make_classifier()
    # Without a state, so that the weights alone make two runs equal.
    model.compile(keras.optimizers.SGD(0.5))
    return model


@pytest.fixture
def fitted(model, texts):
    """Fits on the same batches whatever their form; returns the weights."""
    weights = model.get_weights()

    def fit(*data, **kwargs):
        model.set_weights(weights)
        kwargs = {"shuffle": False, "verbose": 0, **kwargs}
        if not isinstance(data[0], (tf.data.Dataset, keras.utils.PyDataset)):
            kwargs.setdefault("batch_size", 2)
        model.fit(*data, **kwargs)
        return model.get_weights()

    return fit


def assert_equal(received, expected):
    for a, b in zip(received, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def assert_different(received, expected):
    pairs = zip(received, expected, strict=True)
    assert any(np.abs(a - b).max() > 1e-4 for a, b in pairs if np.size(a))


def test_fit_gives_the_same_weights_whatever_holds_texts_and_labels(
    fitted, texts, labels
):
    expected = fitted(texts, labels)
    index = [9, 9, 3, 1, 0, 5, 2, 7]
    for x, y in (
        (tuple(texts), NUMBERS),
        (np.array(texts), np.array(labels)),
        (pd.Series(texts, index=index), pd.Series(labels, index=index)),
        (tf.constant(texts), tf.constant(NUMBERS)),
        (texts, np.array(NUMBERS, "float32")),
        (texts, np.array(NUMBERS)[:, np.newaxis]),
        (texts, np.array(NUMBERS, bool)),
    ):
        assert_equal(fitted(x, y), expected)


def test_fit_gives_the_same_weights_from_datasets(fitted, model, texts, labels):
    expected = fitted(texts, labels)
    for data in (
        slices(texts, labels).batch(2),
        slices(texts, NUMBERS).batch(2),
        slices(texts, np.array(NUMBERS, "float32")).batch(2),
        slices(texts, np.array(NUMBERS)[:, np.newaxis]).batch(2),
        slices(texts, labels, np.ones(8)).batch(2),
        slices(texts, NUMBERS).batch(2).map(model.preprocessor),
        Batches(texts, labels),
        Batches(np.array(texts), np.array(NUMBERS), np.ones(8)),
        Batches(texts, labels, workers=2, use_multiprocessing=True),
    ):
        assert_equal(fitted(data), expected)


def test_weights_of_texts_and_of_classes_multiply(fitted, texts, labels):
    weights = np.linspace(0.5, 2, 8)
    by_class = np.where(np.array(labels) == "yes", 3.0, 1.0)
    expected = fitted(texts, labels, sample_weight=weights * by_class)
    assert_different(expected, fitted(texts, labels, sample_weight=weights))
    how = {"sample_weight": weights}
    for class_weight in ({"yes": 3.0}, {1: 3.0}, [1.0, 3.0], np.array([1.0, 3.0])):
        received = fitted(texts, labels, class_weight=class_weight, **how)
        assert_equal(received, expected)
    data = slices(texts, labels, weights).batch(2)
    assert_equal(fitted(data, class_weight={"yes": 3.0}), expected)
    data = Batches(texts, labels, weights)
    assert_equal(fitted(data, class_weight={"yes": 3.0}), expected)


def test_class_weight_reaches_packed_datasets(fitted, model, texts, labels):
    expected = fitted(texts, labels, class_weight={"yes": 3.0})
    packed = slices(texts, NUMBERS).batch(2).map(model.preprocessor)
    assert_equal(fitted(packed, class_weight={"yes": 3.0}), expected)


def test_stars_from_one_to_three_are_these_stars(make_classifier):
    stars = make_classifier(label_names=["1", "2", "3"])
    texts = ["good", "bad", "what a day !"]
    by_name = stars.evaluate(texts, ["3", "1", "2"], verbose=0)
    assert stars.evaluate(texts, [3, 1, 2], verbose=0) == by_name
    assert stars.evaluate(texts, [2, 0, 1], verbose=0) == by_name
    with pytest.raises(ValueError, match="read in two ways"):
        stars.fit(texts[:2], [1, 2], verbose=0)
    with pytest.raises(ValueError, match="1 can be read as class number 1"):
        stars.fit(slices(texts, [3, 1, 2]).batch(3), verbose=0)
    named = slices(texts, ["3", "1", "2"]).batch(3)
    assert stars.evaluate(named, verbose=0) == by_name


@pytest.mark.parametrize("seed", [None, -1, 0.5])
def test_a_seed_that_is_none_is_refused(model, texts, labels, seed):
    with pytest.raises(ValueError, match="`seed` must be a whole number"):
        model.fit(texts, labels, seed=seed, verbose=0)


@pytest.mark.parametrize("shuffle", [False, True])
def test_validation_split_holds_out_the_last(model, texts, labels, capsys, shuffle):
    model.compile(keras.optimizers.SGD(0.0))
    history = model.fit(
        texts, labels, validation_split=0.25, shuffle=shuffle, verbose=2
    ).history
    # By class, the last "no" of five and the last "yes" of three.
    rows = [6, 7]
    figures = model.evaluate(
        [texts[row] for row in rows],
        [labels[row] for row in rows],
        return_dict=True,
        verbose=0,
    )
    assert history["val_task_loss"][0] == pytest.approx(figures["task_loss"], abs=1e-6)
    said = "2 of 8 texts are held out, the last"
    assert (said + " of each class" if shuffle else said) in capsys.readouterr().out


def test_validation_data_wins_over_validation_split_as_in_keras(model, texts, labels):
    model.compile(keras.optimizers.SGD(0.0))
    held_out = (texts[:4], labels[:4])
    history = model.fit(
        texts, labels, validation_split=0.5, validation_data=held_out, verbose=0
    ).history
    figures = model.evaluate(*held_out, return_dict=True, verbose=0)
    assert history["val_task_loss"][0] == pytest.approx(figures["task_loss"])


def test_validation_data_comes_in_all_forms(model, texts, labels):
    model.compile(keras.optimizers.SGD(0.0))
    expected = model.evaluate(texts, labels, return_dict=True, verbose=0)["task_loss"]
    for data in (
        (texts, labels),
        [texts, labels],
        [pd.Series(texts), NUMBERS],
        (texts, labels, np.ones(8)),
        slices(texts, labels).batch(4),
        Batches(texts, labels),
    ):
        history = model.fit(texts, labels, validation_data=data, verbose=0).history
        assert history["val_task_loss"] == pytest.approx([expected], abs=1e-6)


def test_evaluate_is_the_same_from_all_forms(model, texts, labels):
    weights = np.linspace(0, 2, 8)
    expected = model.evaluate(
        texts, labels, sample_weight=weights, return_dict=True, verbose=0
    )
    for data in (
        slices(texts, labels, weights).batch(8),
        Batches(texts, labels, weights),
        slices(texts, NUMBERS, weights).batch(8).map(model.preprocessor),
    ):
        figures = model.evaluate(data, return_dict=True, verbose=0)
        assert figures == pytest.approx(expected, abs=1e-5)


def test_steps_on_a_batch_of_texts_are_those_of_fit(fitted, model, texts, labels):
    weights = model.get_weights()
    expected = fitted(texts, labels, class_weight={"yes": 2.0})
    model.set_weights(weights)
    for row in range(0, 8, 2):
        batch = (texts[row : row + 2], labels[row : row + 2])
        model.train_on_batch(*batch, class_weight={"yes": 2.0})
    assert_equal(model.get_weights(), expected)
    figures = model.test_on_batch(texts, labels, return_dict=True)
    expected = model.evaluate(texts, labels, batch_size=8, return_dict=True, verbose=0)
    assert figures == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(
        model.predict_on_batch(texts), model.predict(texts, verbose=0), atol=1e-6
    )
    packed = model.preprocessor(tf.constant(texts), y=tf.constant(NUMBERS))
    assert model.test_on_batch(*packed, return_dict=True) == pytest.approx(figures)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": "one string", "y": [0]}, "`x` must be a list. Received one string"),
        ({"x": None}, "`x` is missing"),
        ({"x": ["good"]}, "`y` is missing. Pass a label for each of the 1 texts"),
        ({"x": ["good"], "y": "no"}, "`y` must be a list"),
        ({"x": ["good", "bad"], "y": [0]}, "`y` must have one value for each text.*1"),
        ({"x": ["good", None], "y": [0, 1]}, "`x` has no text in row 1"),
        ({"x": ["good", np.nan], "y": [0, 1]}, "`x` has no text in row 1: nan"),
        ({"x": ["a", "b"], "y": [0.4, 0.9]}, "`y`, row 0.*whole numbers.*0.4"),
        ({"x": [], "y": []}, "empty"),
        ({"x": {"text": ["a"]}, "y": [0]}, "`x` must be in order. Received a dict"),
        ({"x": (text for text in "ab"), "y": [0, 1]}, "`x` must have a length"),
        ({"x": ["a"], "y": [0], "batch_size": 0}, "`batch_size` must be a whole"),
        ({"x": ["a"], "y": [0], "batch_size": 2.5}, "`batch_size` must be a whole"),
        ({"x": ["a"], "y": [0], "sample_weight": [np.nan]}, "row 0: nan"),
        ({"x": ["a"], "y": [0], "sample_weight": [np.inf]}, "row 0: inf"),
        ({"x": ["a"], "y": [0], "sample_weight": [-1.0]}, "row 0: -1.0"),
        ({"x": ["a"], "y": [0], "sample_weight": ["1"]}, "row 0: '1'"),
        ({"x": ["a"], "y": [0], "sample_weight": [1, 1]}, "2 for 1 texts"),
        ({"x": ["a"], "y": [0], "sample_weight": 2.0}, "`sample_weight` must be a"),
        ({"x": ["a"], "y": [0], "class_weight": "even"}, '"balanced"'),
        ({"x": ["a"], "y": [0], "validation_split": 1.5}, "between 0 and 1"),
        (
            {"x": ["a"], "y": [0], "validation_data": ["a", "b"]},
            r"validation_data\[0\]",
        ),
        ({"x": ["a"], "y": [0], "validation_data": (["a"],)}, "tuple of 1"),
        ({"x": ["a"], "y": [0], "validation_data": ["a"] * 4}, "list of 4"),
        ({"x": ["a"], "y": [0], "validation_data": 3}, "Received: int"),
        (
            {"x": ["a"], "y": [0], "validation_data": (["a", None], [0, 1])},
            r"`validation_data\[0\]` has no text in row 1",
        ),
        (
            {"x": ["a"], "y": [0], "validation_data": (["a"], ["maybe"])},
            r"`validation_data\[1\]`, row 0: the label 'maybe'",
        ),
    ],
)
def test_fit_refuses_with_the_argument_and_the_row(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        model.fit(**arguments, verbose=0)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (
            slices(["a", "b"], [0, 1]),
            r"The texts of `x` are not batched. Call `dataset.",
        ),
        (slices(["a", "b"]).map(lambda x: x).batch(2), "`x` must hold labels"),
        (slices([1, 2], [0, 1]).batch(2), r"`x` must be a dataset of.*int32 \(None,\)"),
        (
            slices([["a"], ["b"]], [0, 1]).batch(2),
            r"The texts of `x` must be \[batch\]",
        ),
        (slices(["a", "b"], np.eye(3)[:2]).batch(2), r"or probabilities \[batch, 2\]"),
        (slices(["a", "b"], np.ones((2, 2))).batch(2), "or do not add up to 1"),
        (slices(["a", "b"], [0, 2]).batch(2), "the label 2.*whose numbers are 0 to 1"),
        (slices(["a", "b"], [0.4, 1]).batch(2), "the label 0.4, which is none of"),
        (slices(["a", "b"], ["no", "maybe"]).batch(2), "`x` holds the label maybe"),
        (slices(["a"], [0], [np.nan]).batch(2), "a weight that is negative or not"),
        (slices(["a"], [0], [-1.0]).batch(2), "a weight that is negative or not"),
        (slices(["a"], [0], [1.0], [1.0]).batch(2), "Received one of"),
        (slices(["a"], [1j]).batch(2), "must be class names or numbers"),
        (slices({"text": ["a"]}, [0]).batch(2), r"Received one of \(\{text\}"),
        (Batches(["a", "b"], [0, 2]), r"`x\[0\]\[1\]`, row 1: 2 is neither a class"),
        (Batches(["a", None], [0, 1]), r"`x\[0\]\[0\]` has no text in row 1"),
        (Batches(["a", "b"]), r"`x\[0\]` must be \(texts, labels\).*tuple of 1"),
    ],
)
def test_fit_refuses_datasets_of_something_else(model, dataset, message):
    with pytest.raises(ValueError, match=message) as error:
        model.fit(dataset, verbose=0)
    assert "Traceback" not in str(error.value)


@pytest.mark.parametrize(
    "extra",
    [
        {"y": NUMBERS},
        {"sample_weight": np.ones(8)},
        {"batch_size": 2},
        {"validation_split": 0.5},
    ],
    ids=lambda extra: next(iter(extra)),
)
@pytest.mark.parametrize("make", [lambda *c: slices(*c).batch(2), Batches])
def test_what_a_dataset_holds_itself_is_refused_beside_it(model, texts, extra, make):
    data = make(texts, NUMBERS)
    name = next(iter(extra))
    with pytest.raises(ValueError, match=f"`{name}` must not be passed where `x` is a"):
        model.fit(data, **extra, verbose=0)
    if name != "validation_split":
        with pytest.raises(ValueError, match=f"`{name}` must not be passed"):
            model.evaluate(data, **extra, verbose=0)


def test_a_model_without_preprocessor_says_that_it_takes_no_texts(make_backbone):
    model = SiATLClassifier(make_backbone(), num_classes=2)
    for call in (model.predict, model.predict_on_batch):
        with pytest.raises(ValueError, match="no preprocessor.*takes no texts"):
            call(["good"])
    for call in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        with pytest.raises(ValueError, match="no preprocessor.*takes no texts"):
            call(["good", "bad"], [0, 1])
