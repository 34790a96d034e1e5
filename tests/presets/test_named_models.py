"""named_models: names that stand for presets, from any folder."""

import pytest

from siatl_keras.models import LSTMCausalLM, SiATLClassifier, backbone_class
from siatl_keras.presets.named_models import (
    MODELS,
    chosen_model,
    fetched_folder,
    preset_path,
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A working directory that holds nothing, and an empty cache."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_the_shipped_model_is_found_from_any_folder():
    lm = LSTMCausalLM.from_preset("tweets_lstm_small_en")
    assert lm.preprocessor.tokenizer.vocabulary_size() == 24_000
    model = SiATLClassifier.from_preset("tweets_lstm_small_en", num_classes=2)
    assert model.backbone.count_params() == lm.backbone.count_params()


def test_a_folder_of_that_name_comes_first(elsewhere):
    (elsewhere / "tweets_lstm_small_en").mkdir()
    assert preset_path("tweets_lstm_small_en") == "tweets_lstm_small_en"


@pytest.mark.parametrize("preset", ["gpt2_base_en", "hf://a/b", "runs/mine/model"])
def test_what_is_no_name_stays(preset):
    assert preset_path(preset) == preset


@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_was_not_fetched_is_refused_with_the_command(name):
    command = f"siatl fetch-model --name={name}"
    for load in (
        backbone_class,
        lambda preset: SiATLClassifier.from_preset(preset, num_classes=2),
        SiATLClassifier.from_preset,
        LSTMCausalLM.from_preset,
    ):
        with pytest.raises(ValueError, match=command):
            load(name)


def test_the_large_model_is_chosen_where_it_has_been_fetched(capsys):
    assert chosen_model("runs/mine") == "runs/mine"
    assert capsys.readouterr().out == ""
    assert chosen_model("auto") == "tweets_lstm_small_en"
    said = capsys.readouterr().out
    assert "siatl fetch-model --name=smollm2_135m" in said
    fetched_folder("smollm2_135m").mkdir(parents=True)
    assert chosen_model("auto") == "smollm2_135m"
    assert capsys.readouterr().out == "Language model: smollm2_135m\n"


def test_the_cache_is_keras_s_else_the_desktop_s_else_the_user_s(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    kept = "siatl_keras/smollm2_135m"
    assert fetched_folder("smollm2_135m") == tmp_path / "cache" / kept
    monkeypatch.delenv("KERAS_HOME")
    assert fetched_folder("smollm2_135m") == tmp_path / "xdg" / kept
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert fetched_folder("smollm2_135m") == tmp_path / "home/.cache" / kept
