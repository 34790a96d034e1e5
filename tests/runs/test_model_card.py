"""The card of a model: read by Hugging Face's own reader, and true."""

import dataclasses

import pytest
from huggingface_hub import ModelCard

from rigs.judged import judged
from siatl_keras.runs import FinetuneConfig
from siatl_keras.runs.model_card import licence_of, model_card

CONFIG = FinetuneConfig(
    train='data/re: "views".csv',
    output="runs/reviews",
    lm="tweets_lstm_small_en",
    method="siatl",
    sequence_length=256,
)
LABELS = {
    "single_label": ["good", "bad"],
    "multi_label": ["good", "bad,odd"],
    "ordinal": ["1", "2"],
    "regression": ["1.5", "2.5"],
}


def card(kind="single_label", metrics=(), **changes):
    labels = LABELS[kind] * 40
    texts = [f"the phone number {row} is good and I like it" for row in range(80)]
    config = dataclasses.replace(CONFIG, task=kind, **changes)
    evaluation, data = judged(kind, texts, labels, CONFIG.train, config.lm)
    return model_card(config, data, evaluation, dict(metrics)), evaluation


@pytest.mark.parametrize("kind", LABELS)
def test_the_header_is_hugging_face_s_and_has_the_main_figure(kind):
    text, evaluation = card(kind)
    found = ModelCard(text).data.to_dict()
    assert found["library_name"] == "keras"
    assert found["license"] == "apache-2.0" and found["language"] == "en"
    (result,) = found["model-index"][0]["results"]
    name, value = next(iter(evaluation.report.measures.items()))
    assert result["metrics"][0]["type"] == name
    assert result["metrics"][0]["value"] == pytest.approx(value, abs=1e-4)
    assert result["dataset"]["name"] == 're: "views".csv'


def test_it_says_on_what_it_was_judged_and_where_it_ends():
    text, evaluation = card()
    interval = evaluation.report.interval
    assert f"{interval.low:.4f} to {interval.high:.4f}" in text
    assert "On 80 held-out texts" in text and "chose the epoch" in text
    assert "the first 256 tokens" in text and "English tweets" in text
    assert "(single label of 2: bad, good)" in text
    tested, _ = card(metrics={"test": {}})
    assert "On 80 test texts" in tested and "chose the epoch" not in tested


def test_the_licence_is_that_of_the_language_model_and_none_is_invented():
    assert licence_of("smollm2_135m") == "Apache-2.0"
    text, _ = card(lm="gemma3_270m")
    assert "ai.google.dev/gemma/terms" in text
    assert "license" not in ModelCard(text).data.to_dict()
    text, _ = card(lm="runs/mine")
    assert "license" not in ModelCard(text).data.to_dict()
    assert "not known here" in text


def test_a_model_of_pairs_is_shown_with_a_pair():
    text, _ = card(pair_column="other")
    assert 'predict_labels([("one text", "the other")])' in text
