from dataclasses import fields, replace

import keras_hub
import pytest

from siatl_keras.models import LSTMBackbone
from siatl_keras.plans import METHODS
from siatl_keras.runs import METHOD_NAMES, FinetuneConfig, PretrainConfig

CONFIG = FinetuneConfig(train="a.tsv", validation="b.tsv", lm="lm", output="run")


@pytest.mark.parametrize("config", [FinetuneConfig, PretrainConfig])
def test_every_setting_has_a_help_text_of_a_sentence(config):
    for each in fields(config):
        assert each.metadata["help"].endswith("."), each.name


def test_every_method_of_a_plan_has_one():
    for method in METHOD_NAMES:
        config = replace(CONFIG, method=method)
        if method in METHODS:
            assert config.plan() == METHODS[method](config)
        else:
            with pytest.raises(ValueError, match="`method` must be one of"):
                config.plan()


def test_an_lstm_has_the_paper_s_dropouts_unless_others_are_given():
    paper_s = {
        "embedding_dropout": 0.2,
        "input_dropout": 0.1,
        "hidden_dropout": 0.4,
        "output_dropout": 0.1,
    }
    assert CONFIG.backbone_arguments(LSTMBackbone) == paper_s
    other = replace(CONFIG, lm_hidden_dropout=0.0)
    assert other.backbone_arguments(LSTMBackbone) == {**paper_s, "hidden_dropout": 0.0}


def test_other_backbones_keep_their_own_dropouts():
    gpt2 = keras_hub.models.GPT2Backbone
    assert CONFIG.backbone_arguments(gpt2) == {}
    other = replace(CONFIG, lm_hidden_dropout=0.3)
    assert other.backbone_arguments(gpt2) == {"hidden_dropout": 0.3}


def test_the_method_s_head_goes_before_the_settings():
    config = replace(CONFIG, method="ulmfit", pooling="last", units=7)
    arguments = config.task_arguments(config.plan())
    assert arguments["pooling"] == "concat" and arguments["num_layers"] == 0
    assert arguments["units"] == 7 and arguments["block_units"] == 50


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "elmo"}, "`method` must be one of .*'ulmfit'.*elmo"),
        ({"schedule": "cosine"}, "`schedule` must be one of .*'one_cycle'"),
        ({"pooling": "max"}, "`pooling` must be one of .*'attention'"),
        ({"epochs": 0}, "epochs=0"),
        ({"batch_size": None}, "`batch_size` must be given, 32 by default"),
        ({"sampled_words": 1}, "sampled_words=1"),
        ({"gamma_final": 0.0}, "gamma_final=0"),
        ({"train": None, "output": ""}, "`train`, `output` must be given"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        replace(CONFIG, **change)
