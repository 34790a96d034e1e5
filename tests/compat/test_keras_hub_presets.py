"""Fails first when a new KerasHub changes what `compat.keras_hub_presets` relies on."""

import shutil

import h5py
import keras
import keras_hub
import numpy as np
import pytest

from siatl_keras.compat import keras_hub_presets
from siatl_keras.models import LSTMBackbone


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    from siatl_keras import models, text

    folder = tmp_path_factory.mktemp("presets")
    tokenizer = text.WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", "good"])
    backbone = models.LSTMBackbone(5, embedding_dim=4, hidden_dim=4, num_layers=1)
    classifier = models.SiATLClassifier(
        backbone, num_classes=2, preprocessor=models.SiATLPreprocessor(tokenizer)
    )
    classifier.save_to_preset(folder / "classifier")
    backbone.save_to_preset(folder / "backbone")
    return folder


def test_a_preset_s_tokenizer_is_loaded_whatever_its_class(presets):
    tokenizer = keras_hub_presets.load_tokenizer(str(presets / "classifier"))
    assert "good" in tokenizer.get_vocabulary()


def test_a_preset_s_backbone_is_known_by_its_class(presets):
    from siatl_keras.models import LSTMBackbone, backbone_class

    for name in ("classifier", "backbone"):
        assert backbone_class(str(presets / name)) is LSTMBackbone
    with pytest.raises(ValueError, match="nowhere"):
        backbone_class(str(presets / "nowhere"))


def test_a_preset_s_preprocessor_tells_its_arguments_if_there_is_one(presets):
    config = keras_hub_presets.preprocessor_config(str(presets / "classifier"))
    assert config["sequence_length"] == 80 and config["add_start_token"] is True
    assert keras_hub_presets.preprocessor_config(str(presets / "backbone")) == {}


def test_a_task_saved_whole_is_loaded(presets):
    from siatl_keras.models import SiATLClassifier

    preset = str(presets / "classifier")
    assert (
        keras_hub_presets.load_task(SiATLClassifier, preset, True).task.num_outputs == 2
    )
    with pytest.raises(ValueError, match="holds no SiATLClassifier"):
        keras_hub_presets.load_task(SiATLClassifier, str(presets / "backbone"), True)


@pytest.mark.slow
def test_a_quantised_preset_keeps_its_policies_and_others_take_the_current_one(
    presets, tmp_path
):
    backbone = keras_hub.models.GPT2Backbone(
        9, num_layers=1, num_heads=1, hidden_dim=4, intermediate_dim=4
    )
    backbone.quantize("int8")
    backbone.save_to_preset(tmp_path)
    assert keras_hub_presets.preset_dtype(str(tmp_path)) is None
    current = keras.config.dtype_policy()
    assert keras_hub_presets.preset_dtype(str(presets / "backbone")) == current
    (tmp_path / "config.json").write_text('{"architectures": ["GPT2LMHeadModel"]}')
    assert keras_hub_presets.preset_dtype(str(tmp_path)) == current


def test_a_preset_s_weights_are_checked_wherever_they_lie(presets, tmp_path):
    folder = shutil.copytree(presets / "classifier", tmp_path / "preset")
    keras_hub_presets.check_weights(str(folder))
    path = folder / "task.weights.h5"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"task\.weights\.h5: damaged"):
        keras_hub_presets.check_weights(str(folder))
    path.unlink()
    with pytest.raises(ValueError, match=r"has no task\.weights\.h5"):
        keras_hub_presets.check_weights(str(folder))
    (folder / "weights.sha256").unlink()
    keras_hub_presets.check_weights(str(folder))


def test_fewer_layers_are_the_bottom_ones(tmp_path):
    whole = keras_hub.models.GPT2Backbone(9, 3, 2, 8, 16)
    whole.save_to_preset(str(tmp_path / "preset"))
    assert keras_hub_presets.number_of_layers(str(tmp_path / "preset")) == 3
    lower = keras_hub_presets.load_backbone(str(tmp_path / "preset"), num_layers=2)
    names = [layer.name for layer in lower.layers if layer.weights]
    assert names == [
        layer.name
        for layer in whole.layers
        if layer.weights and layer.name != "transformer_layer_2"
    ]
    for name in names:
        for mine, theirs in zip(
            lower.get_layer(name).weights, whole.get_layer(name).weights, strict=True
        ):
            np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(ValueError, match="`num_layers` must be"):
        keras_hub_presets.load_backbone(str(tmp_path / "preset"), num_layers=0)


def test_what_stands_above_must_not_be_of_the_layers_kind(tmp_path):
    preset = tmp_path / "preset"
    keras_hub.models.GPT2Backbone(9, 3, 2, 8, 16).save_to_preset(str(preset))
    with h5py.File(preset / "model.weights.h5", "a") as file:
        # As Keras would number them were the first left out of its class.
        names = ["transformer_decoder", "transformer_decoder_1"]
        first, second = (file["layers"][name]["vars"] for name in names)
        first.attrs["name"], second.attrs["name"] = (
            second.attrs["name"],
            first.attrs["name"],
        )
    with pytest.raises(ValueError, match="bottom layers.*'transformer_layer_0'"):
        keras_hub_presets.load_backbone(str(preset), num_layers=2)


def test_more_layers_than_there_are_cannot_be_had(tmp_path):
    LSTMBackbone(9, 4, hidden_dim=8, num_layers=2).save_to_preset(str(tmp_path / "p"))
    with pytest.raises(ValueError, match="at most 2, those of the preset"):
        keras_hub_presets.load_backbone(str(tmp_path / "p"), num_layers=3)
