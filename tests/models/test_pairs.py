"""Pairs of texts through the classifier: every call, container, format and refusal."""

import json
import warnings

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from rigs.raw_batches import NUMBERS, Batches, slices
from rigs.round_trips import through_keras_file, through_preset
from siatl_keras.export import export_saved_model
from siatl_keras.models import SiATLClassifier, SiATLPreprocessor

SERVE = """
import json, sys
import tensorflow as tf
import tensorflow_text
served = tf.saved_model.load(sys.argv[1])
first, second = map(tf.constant, json.loads(sys.argv[2]))
for name in ("serving_default", "tokens"):
    answer = served.signatures[name](text=first, text_pair=second)
    print(json.dumps(answer["probabilities"].numpy().tolist()))
print(json.dumps([[t.decode() for t in row] for row in answer["tokens"].numpy()]))
"""


@pytest.fixture
def pairs(texts):
    return list(zip(texts, reversed(texts), strict=True))


@pytest.fixture
def model(make_backbone, tokenizer):
    model = SiATLClassifier(
        make_backbone(),
        preprocessor=SiATLPreprocessor(tokenizer, 12, pairs=True),
        label_names=["no", "yes"],
        units=5,
    )
    model.compile(keras.optimizers.SGD(0.5))
    return model


def test_fit_gives_the_same_weights_whatever_holds_the_pairs(model, pairs, labels):
    weights = model.get_weights()
    expected = None
    for data in (
        (pairs, labels),
        (np.array(pairs), NUMBERS),
        (pd.DataFrame(pairs, index=[3] * 8), pd.Series(labels)),
        (slices(np.array(pairs), NUMBERS).batch(2),),
        (slices(np.array(pairs), labels).batch(2).map(lambda x, y: (x, y)),),
        (slices(np.array(pairs), NUMBERS).batch(2).map(model.preprocessor),),
        (Batches(pairs, labels),),
    ):
        model.set_weights(weights)
        size = {"batch_size": 2} if len(data) == 2 else {}
        model.fit(*data, shuffle=False, verbose=0, **size)
        expected = expected or model.get_weights()
        for a, b in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_pairs_are_split_weighted_and_reported_as_texts_are(
    model, pairs, labels, capsys
):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        history = model.fit(
            pairs,
            labels,
            validation_split=0.25,
            class_weight="balanced",
            sample_weight=np.ones(8),
            batch_size=3,
            verbose=2,
        ).history
    assert np.isfinite(history["val_task_loss"]).all()
    printed = capsys.readouterr().out
    assert "2 of 8 texts are held out" in printed
    # Of 12 steps 9 are words: of the first pair 12, of others up to 11.
    cut = sum(sum(len(side.split()) for side in pair) > 9 for pair in pairs)
    assert cut and "6 texts, " in printed


def test_evaluate_agrees_with_predict_and_with_single_batches(model, pairs, labels):
    figures = model.evaluate(pairs, labels, return_dict=True, verbose=0)
    logits = model.predict(pairs, verbose=0)
    right = (logits.argmax(-1) == NUMBERS).mean()
    assert figures["accuracy"] == pytest.approx(right)
    np.testing.assert_allclose(model.predict_on_batch(pairs), logits, atol=1e-6)
    probabilities = model.predict_proba(pairs, verbose=0)
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-6)
    names = [model.label_names[row] for row in logits.argmax(-1)]
    assert model.predict_labels(pairs, verbose=0) == names
    on_batch = model.test_on_batch(pairs, labels, return_dict=True)
    assert on_batch["task_loss"] == pytest.approx(figures["task_loss"], abs=1e-5)
    before = model.task_head.get_weights()
    model.train_on_batch(pairs, labels, class_weight={"yes": 2.0})
    moved = zip(before, model.task_head.get_weights(), strict=True)
    assert any(np.abs(a - b).max() > 1e-5 for a, b in moved)


def test_predict_takes_pairs_by_row_whatever_holds_them(model, pairs):
    expected = model.predict(pairs, verbose=0)
    array = np.array(pairs)
    for same in (
        array,
        tf.constant(array),
        pd.DataFrame(array),
        iter(pairs),
        tf.data.Dataset.from_tensor_slices(array).batch(3),
        slices(array, NUMBERS).batch(3),
        Batches(array, NUMBERS),
    ):
        received = model.predict(same, verbose=0)
        np.testing.assert_allclose(received, expected, atol=1e-6)
    in_graph = tf.function(model.classify_texts)(tf.constant(array))
    np.testing.assert_allclose(in_graph, expected, atol=1e-6)
    by_pipeline = model.predict(pairs, verbose=0, steps=None)
    np.testing.assert_allclose(by_pipeline, expected, atol=1e-6)
    assert model.predict([], verbose=0).shape == (0, 2)


def test_the_order_of_a_pair_matters_and_its_place_among_others_does_not(model, pairs):
    model.fit(pairs, NUMBERS, epochs=3, verbose=0)
    expected = model.predict(pairs, verbose=0)
    swapped = model.predict([pair[::-1] for pair in pairs], verbose=0)
    assert np.abs(swapped - expected).max() > 1e-4
    alone = [model.predict([pair], verbose=0)[0] for pair in pairs]
    np.testing.assert_allclose(alone, expected, atol=1e-5)


def test_attention_shows_both_texts_with_what_separates_them(model):
    tokens, weights = model.attention([("so glad", "what a day !")])
    assert tokens == [
        ["<s>", "so", "glad", "</s>", "<s>", "what", "a", "day", "!", "</s>"]
    ]
    assert sum(weights[0]) == pytest.approx(1, abs=1e-5)
    assert len(weights[0]) == len(tokens[0])


def test_a_preset_and_a_keras_file_predict_the_same(model, pairs, labels, tmp_path):
    model.fit(pairs, labels, verbose=0)
    for round_trip in (through_keras_file, through_preset):
        again = round_trip(model, tmp_path, pairs)
        assert again.takes_pairs and again.preprocessor.pairs
    config = json.loads((tmp_path / "preset" / "preprocessor.json").read_text())
    assert config["config"]["pairs"] is True


def test_a_preset_of_before_pairs_takes_single_texts(make_classifier, tmp_path, texts):
    model = make_classifier()
    model.save_to_preset(str(tmp_path / "preset"))
    path = tmp_path / "preset" / "preprocessor.json"
    config = json.loads(path.read_text())
    del config["config"]["pairs"]
    path.write_text(json.dumps(config))
    again = SiATLClassifier.from_preset(str(tmp_path / "preset"))
    assert not again.takes_pairs
    np.testing.assert_allclose(
        again.predict(texts, verbose=0), model.predict(texts, verbose=0), atol=1e-6
    )


def test_a_new_classifier_of_pairs_on_a_language_model(make_lm, tmp_path, pairs):
    lm = make_lm()
    lm.save_to_preset(str(tmp_path / "lm"))
    arguments = {"label_names": ["no", "yes"], "units": 5, "pairs": True}
    model = SiATLClassifier.from_preset(
        str(tmp_path / "lm"), sequence_length=9, **arguments
    )
    assert model.takes_pairs and model.predict(pairs, verbose=0).shape == (8, 2)
    with pytest.raises(TypeError, match="`pairs` is for the preprocessor.*Set it on"):
        SiATLClassifier.from_preset(
            str(tmp_path / "lm"), preprocessor=model.preprocessor, **arguments
        )


@pytest.mark.slow
def test_what_is_exported_answers_pairs_in_a_fresh_process(
    model, pairs, tmp_path, run_python
):
    path = export_saved_model(model, tmp_path / "served")
    sides = json.dumps(list(zip(*pairs, strict=True)))
    default, tokens, words = map(
        json.loads, run_python("-c", SERVE, path, sides).splitlines()[-3:]
    )
    expected = model.predict_proba(pairs, verbose=0)
    np.testing.assert_allclose(default, expected, atol=1e-5)
    np.testing.assert_allclose(tokens, expected, atol=1e-5)
    assert words[0][:8] == ["<s>", "so", "glad", "my", "flight", "is", "</s>", "<s>"]


def test_warm_up_requests_hold_both_texts(model, tmp_path):
    path = export_saved_model(model, tmp_path / "served")
    requests = f"{path}/assets.extra/tf_serving_warmup_requests"
    for record in tf.data.TFRecordDataset(requests):
        assert b"text_pair" in record.numpy()
    served = tf.saved_model.load(path)
    _, inputs = served.signatures["serving_default"].structured_input_signature
    assert set(inputs) == {"text", "text_pair"}


CALLS = {
    "fit": lambda model, x: model.fit(x, ["no"] * len(x), verbose=0),
    "evaluate": lambda model, x: model.evaluate(x, ["no"] * len(x), verbose=0),
    "predict": lambda model, x: model.predict(x, verbose=0),
    "predict_proba": lambda model, x: model.predict_proba(x, verbose=0),
    "predict_labels": lambda model, x: model.predict_labels(x, verbose=0),
    "train_on_batch": lambda model, x: model.train_on_batch(x, ["no"] * len(x)),
    "test_on_batch": lambda model, x: model.test_on_batch(x, ["no"] * len(x)),
    "predict_on_batch": lambda model, x: model.predict_on_batch(x),
    "attention": lambda model, x: model.attention(x),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_single_texts_and_pairs_are_not_mistaken_for_one_another(
    model, make_classifier, call
):
    said = "in row 1: 'good', a single text.*make the model without `pairs=True`"
    with pytest.raises(ValueError, match=said):
        call(model, [("so", "glad"), "good"])
    said = r"in row 1: \('so', 'glad'\), a pair.*make the model with `pairs=True`"
    with pytest.raises(ValueError, match=said):
        call(make_classifier(), ["good", ("so", "glad")])


def test_validation_data_is_named_where_it_is_wrong(model, pairs, labels, texts):
    with pytest.raises(ValueError, match=r"`validation_data\[0\]` must hold pairs"):
        model.fit(pairs, labels, validation_data=(texts, labels), verbose=0)


def test_datasets_of_the_other_kind_are_refused(model, make_classifier, texts, pairs):
    single, double = (slices(x, NUMBERS).batch(2) for x in (texts, np.array(pairs)))
    stack = r"must be pairs, string \[batch, 2\].*tf.stack\(\[first, second\], -1\)"
    with pytest.raises(ValueError, match=stack):
        model.fit(single, verbose=0)
    columns = slices(tuple(map(list, zip(*pairs, strict=True))), NUMBERS).batch(2)
    with pytest.raises(ValueError, match=stack):
        model.fit(columns, verbose=0)
    with pytest.raises(ValueError, match=r"single ones, \[batch\].*with `pairs=True`"):
        make_classifier().predict(double, verbose=0)
    with pytest.raises(ValueError, match=r"`x\[0\]\[0\]` must hold pairs.*row 0"):
        model.fit(Batches(texts, NUMBERS), verbose=0)
    with pytest.raises(ValueError, match=r"`x\[0\]` must hold texts.*a pair of them"):
        make_classifier().predict(Batches(pairs), verbose=0)
