"""Pairs from files to figures: finetune, evaluate, predict, explain, in process."""

import json

import numpy as np
import pytest

from recipes.reproduction.flag_files import columns_of, flag_values
from recipes.reproduction.reproduce import _training_examples, _write_subset
from recipes.reproduction.run_key import RunKey
from siatl_keras.data import pairs_of_lines, read_examples
from siatl_keras.models import (
    LSTMBackbone,
    LSTMCausalLM,
    LSTMCausalLMPreprocessor,
    SiATLClassifier,
    SiATLPreprocessor,
)
from siatl_keras.runs import (
    FinetuneConfig,
    check_pair_column,
    evaluate_classifier,
    explain,
    finetune,
    format_header,
    format_prediction,
    predict_stream,
)
from siatl_keras.runs.pretrain_language_model import save_preset
from siatl_keras.text import WordTokenizer

WORDS = ["so", "glad", "day", "late", "flight", "good"]
COLUMNS = ("first", "label", "second")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    generator = np.random.default_rng(0)
    for name, size in {"train": 24, "validation": 8, "test": 8}.items():
        rows = ["first\tsecond\tlabel"]
        for number in range(size):
            first, second = generator.choice(WORDS, 2, replace=False)
            same = number % 2
            row = [f"{first} day", f"{first if same else second} day"]
            rows.append("\t".join([*row, "same" if same else "other"]))
        (folder / f"{name}.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *WORDS])
    lm = LSTMCausalLM(
        LSTMBackbone(10, 6, hidden_dim=8, num_layers=1),
        LSTMCausalLMPreprocessor(tokenizer, 16),
    )
    (folder / "lm").mkdir()
    save_preset(lm, folder / "lm", "float32")
    return folder


@pytest.fixture(scope="module")
def config(folder):
    def make(method, **kwargs):
        return FinetuneConfig(
            train=f"{folder}/train.tsv",
            validation=f"{folder}/validation.tsv",
            test=f"{folder}/test.tsv",
            lm=f"{folder}/lm",
            output=f"{folder}/{method}",
            method=method,
            text_column="first",
            pair_column="second",
            epochs=2,
            backbone_epoch=1,
            embedding_epoch=2,
            batch_size=8,
            units=4,
            **kwargs,
        )

    return make


@pytest.fixture(scope="module")
def model(config, folder):
    (folder / "siatl").mkdir()
    return finetune(config("siatl"), verbose=0)[0]


def test_a_run_trains_and_tests_on_pairs_and_its_preset_takes_them(model, folder):
    metrics = json.loads((folder / "siatl" / "metrics.json").read_text())
    again = SiATLClassifier.from_preset(str(folder / "siatl" / "model"))
    assert again.takes_pairs
    examples = read_examples(folder / "test.tsv", *COLUMNS)
    report = evaluate_classifier(again, examples, folder / "siatl").report
    assert report.accuracy == pytest.approx(metrics["test"]["accuracy"])


@pytest.mark.parametrize("method", ["bow", "nbow"])
def test_the_linear_baselines_see_whether_two_texts_agree(config, folder, method):
    (folder / method).mkdir()
    baseline, metrics = finetune(config(method), verbose=0)
    assert metrics["test"]["macro_f1"] > 0.7
    assert list(baseline.predict([("so day", "so day")])) == [1]


def test_predictions_have_both_texts_in_every_format(model):
    pairs = pairs_of_lines([["so day\tso glad", ""]])
    ((first, blank),) = predict_stream(model, pairs)
    assert (first["text"], first["text_pair"]) == ("so day", "so glad")
    assert (blank["text"], blank["text_pair"]) == ("", "")
    header = format_header(model.task, pairs=True).split("\t")
    assert header == ["text", "text_pair", "label", "other", "same"]
    fields = format_prediction(first, as_json=False).split("\t")
    assert fields[:2] == ["so day", "so glad"] and len(fields) == 5
    as_json = json.loads(format_prediction(first, as_json=True))
    assert list(as_json) == ["text", "text_pair", "label", "probabilities"]


def test_the_page_shows_both_texts_and_their_tokens_in_one_row(model, folder, tmp_path):
    explain([str(folder / "siatl" / "model")], [("so <day>", "glad")], tmp_path)
    page = (tmp_path / "attention.html").read_text("utf-8")
    heading = "<span class=text>so &lt;day&gt;</span><br><span class=text>glad</span>"
    assert heading in page
    assert page.count(">&lt;s&gt;</span>") == page.count(">&lt;/s&gt;</span>") == 2
    with pytest.raises(ValueError, match="Text 1 is not UTF-8"):
        explain([str(folder)], [("a", "\ud800")], tmp_path, overwrite=True)


def test_a_model_and_the_columns_named_must_agree(model):
    with pytest.raises(ValueError, match="m classifies pairs of texts. Name the colu"):
        check_pair_column(model, "", "m")
    check_pair_column(model, "second", "m")
    tokenizer = model.preprocessor.tokenizer
    single = SiATLClassifier(
        LSTMBackbone(10, 4, hidden_dim=4, num_layers=1),
        preprocessor=SiATLPreprocessor(tokenizer),
        num_classes=2,
        units=2,
    )
    check_pair_column(single, "", "m")
    with pytest.raises(ValueError, match="m classifies single texts. Remove.*=second"):
        check_pair_column(single, "second", "m")


def test_a_subset_of_an_experiment_keeps_both_columns(folder, tmp_path):
    flags = [f"--train={folder}/train.tsv", "--text_column=first"]
    flags += ["--pair_column=second"]
    assert columns_of(flag_values(flags)) == COLUMNS
    assert columns_of({}) == ("text", "label", "")
    key = RunKey("pairs", "bow", 0, texts=4)
    _write_subset(key, flags, tmp_path)
    path = tmp_path / "pairs" / "texts-4" / "train-seed-0.jsonl"
    subset, whole = read_examples(path, *COLUMNS), _training_examples(flags)
    assert len(subset.texts) == 4
    assert set(subset.texts) <= set(whole.texts)
