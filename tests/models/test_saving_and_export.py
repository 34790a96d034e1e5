"""What Keras's own saving, copying and exporting make of the models."""

import copy

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from siatl_keras.models import SiATLClassifier


def probabilities(model, texts):
    return softmax(model.predict(texts, verbose=0), -1)


@pytest.mark.slow
def test_copies_are_classifiers_of_their_own(make_classifier, texts, labels):
    model = make_classifier()
    model.gamma.assign(0.07)
    expected = model.predict(texts, verbose=0)
    again = copy.deepcopy(model)
    assert isinstance(again, SiATLClassifier)
    model.task_head.weights[0].assign_add(
        keras.ops.ones(model.task_head.weights[0].shape)
    )
    np.testing.assert_allclose(again.predict(texts, verbose=0), expected, atol=1e-6)
    assert float(again.gamma.numpy()) == pytest.approx(0.07)
    fresh = keras.models.model_from_json(model.to_json())
    assert fresh.get_config() == model.get_config()


def test_weights_alone_bring_gamma_with_them(make_classifier, tmp_path):
    model = make_classifier()
    model.gamma.assign(0.03)
    model.save_weights(tmp_path / "all.weights.h5")
    again = make_classifier()
    again.load_weights(tmp_path / "all.weights.h5")
    assert float(again.gamma.numpy()) == pytest.approx(0.03)


def test_cloning_is_refused_with_what_works_in_its_place(make_classifier, make_lm):
    for model in (make_classifier(), make_lm()):
        with pytest.raises(ValueError, match=r"`copy.deepcopy\(model\)`.*from_config"):
            keras.models.clone_model(model)


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5"])
def test_the_old_format_is_refused_before_a_file_is_touched(
    make_classifier, make_lm, tmp_path, name
):
    path = tmp_path / name
    for model in (make_classifier(), make_lm()):
        path.write_text("an older file")
        with pytest.raises(ValueError, match=r"old HDF5 format.*`.keras`"):
            model.save(path)
        assert path.read_text() == "an older file"
        with pytest.raises(ValueError, match=r"old HDF5 format.*`.keras`"):
            keras.saving.save_model(model, path)


def test_export_writes_the_classifier_that_is_served(
    make_classifier, texts, tmp_path, capsys
):
    model = make_classifier()
    model.export(tmp_path / "deep" / "served", verbose=True)
    assert "deep/served" in capsys.readouterr().out
    served = tf.saved_model.load(tmp_path / "deep" / "served")
    answer = served.signatures["serving_default"](text=tf.constant(texts))
    np.testing.assert_allclose(
        answer["probabilities"], probabilities(model, texts), atol=1e-5
    )
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["served"]


def test_export_knows_all_formats(make_classifier, tmp_path):
    model = make_classifier()
    model.export(tmp_path / "onnx", format="onnx")
    assert (tmp_path / "onnx" / "model.onnx").exists()
    model.export(tmp_path / "keras", format="keras")
    assert (tmp_path / "keras" / "model.keras").exists()
    written = set()
    for weights in ("float16", "float32"):
        model.export(tmp_path / weights, format="litert", weights=weights)
        written.add((tmp_path / weights / "model.tflite").read_bytes())
    assert len(written) == 2


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ({"format": "openvino"}, "`format` must be one of.*litert.*openvino"),
        ({"input_signature": [1]}, "path alone.*input_signature.*Leave it out"),
        ({"weights": "int8"}, "path alone.*weights.*Leave it out"),
        ({"format": "litert", "weights": "int4"}, "`weights` must be one of.*int4"),
    ],
    ids=str,
)
def test_other_exports_are_refused_with_the_remedy(
    make_classifier, tmp_path, arguments, remedy
):
    with pytest.raises(ValueError, match=remedy):
        make_classifier().export(tmp_path / "x", **arguments)
    (tmp_path / "x").mkdir()
    with pytest.raises(ValueError, match="exists already"):
        make_classifier().export(tmp_path / "x")
