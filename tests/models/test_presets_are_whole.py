"""What is told of presets that lack something or are damaged."""

import shutil

import keras
import keras_hub
import pytest

from siatl_keras.models import (
    LSTMBackbone,
    LSTMCausalLM,
    LSTMCausalLMPreprocessor,
    SiATLClassifier,
    SiATLPreprocessor,
)
from siatl_keras.text import WordTokenizer

WORDS = ["<pad>", "<s>", "</s>", "<unk>", "good", "bad"]


def classifier():
    return SiATLClassifier(
        LSTMBackbone(6, 4, hidden_dim=4, num_layers=1),
        preprocessor=SiATLPreprocessor(WordTokenizer(WORDS)),
        label_names=["no", "yes"],
        units=3,
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets")
    model = classifier()
    model.save_to_preset(str(folder / "classifier"))
    lm = LSTMCausalLM(model.backbone, LSTMCausalLMPreprocessor(WordTokenizer(WORDS)))
    lm.save_to_preset(str(folder / "lm"))
    return folder


@pytest.fixture
def presets(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "presets")


def damage(path):
    content = bytearray(path.read_bytes())
    # A weight, not the head of the file: HDF5 itself would not see it.
    content[-5] ^= 1
    path.write_bytes(content)


def test_whole_presets_load(presets):
    SiATLClassifier.from_preset(str(presets / "classifier"))
    SiATLClassifier.from_preset(str(presets / "lm"), num_classes=2)
    LSTMCausalLM.from_preset(str(presets / "lm"))
    keras_hub.models.Backbone.from_preset(str(presets / "lm"))


@pytest.mark.parametrize("name", ["model.weights.h5", "task.weights.h5"])
def test_a_classifier_with_damaged_weights_is_refused(presets, name):
    damage(presets / "classifier" / name)
    with pytest.raises(ValueError, match=f"{name}: damaged"):
        SiATLClassifier.from_preset(str(presets / "classifier"))


@pytest.mark.parametrize(
    "load",
    [
        lambda preset: LSTMCausalLM.from_preset(preset),
        lambda preset: SiATLClassifier.from_preset(preset, num_classes=2),
        lambda preset: keras_hub.models.Backbone.from_preset(preset),
        lambda preset: LSTMBackbone.from_preset(preset),
    ],
)
def test_a_damaged_language_model_is_refused_however_it_is_loaded(presets, load):
    damage(presets / "lm" / "model.weights.h5")
    with pytest.raises(ValueError, match=r"model\.weights\.h5: damaged"):
        load(str(presets / "lm"))


def test_a_classifier_without_its_task_weights_is_refused(presets):
    (presets / "classifier" / "task.weights.h5").unlink()
    with pytest.raises(ValueError, match=r"has no task\.weights\.h5"):
        SiATLClassifier.from_preset(str(presets / "classifier"))
    # Asked for random weights, there is nothing amiss.
    SiATLClassifier.from_preset(str(presets / "classifier"), load_weights=False)


def test_a_preset_without_its_backbone_s_weights_is_refused(presets):
    for preset in ("classifier", "lm"):
        (presets / preset / "model.weights.h5").unlink()
    with pytest.raises(ValueError, match=r"has no model\.weights\.h5"):
        SiATLClassifier.from_preset(str(presets / "classifier"))
    with pytest.raises(ValueError, match=r"has no model\.weights\.h5"):
        SiATLClassifier.from_preset(str(presets / "lm"), num_classes=2)


def test_presets_without_checksums_load(presets):
    for preset in ("classifier", "lm"):
        (presets / preset / "weights.sha256").unlink()
    test_whole_presets_load(presets)


def test_weights_saved_on_their_own_are_no_preset_s(tmp_path):
    backbone = LSTMBackbone(6, 4, hidden_dim=4, num_layers=1)
    backbone.save_weights(str(tmp_path / "mine.weights.h5"))
    backbone.load_weights(str(tmp_path / "mine.weights.h5"))


def test_saving_over_a_preset_renews_its_checksums(presets):
    keras.utils.set_random_seed(5)
    classifier().save_to_preset(str(presets / "classifier"))
    SiATLClassifier.from_preset(str(presets / "classifier"))
    backbone = LSTMBackbone(6, 4, hidden_dim=4, num_layers=1)
    backbone.save_to_preset(str(presets / "lm"))
    LSTMBackbone.from_preset(str(presets / "lm"))
