"""Whole runs of methods, with a tiny language model made here."""

import json
from dataclasses import replace

import keras_hub
import numpy as np
import pytest

from rigs.small_task import BAD, GOOD, small_config, small_run
from siatl_keras.callbacks import GroupLearningRates
from siatl_keras.data import read_examples
from siatl_keras.data.marker_ids import marker_ids
from siatl_keras.models import SiATLClassifier
from siatl_keras.optimizers.groups import groups_of
from siatl_keras.plans import ulmfit
from siatl_keras.runs import comparison_line, finetune
from siatl_keras.runs.adapt_language_model import adapt_language_model
from siatl_keras.runs.run_data import RunData


@pytest.mark.parametrize("method", ["bow", "nbow"])
def test_linear_baselines_report_what_fine_tuning_reports(files, lm, tmp_path, method):
    model, metrics = small_run(files, lm, tmp_path, method=method)
    assert metrics["method"] == method and metrics["seed"] == 0
    assert metrics["test"]["accuracy"] == metrics["test"]["macro_f1"] == 1.0
    assert metrics["validation"]["accuracy"] == 1.0
    assert 0 < metrics["validation"]["task_loss"] < 0.5
    assert model.predict(["a lovely flight", "awful , i hate it"]).tolist() == [1, 0]
    assert "macro F1 1.0000" in (tmp_path / "report.txt").read_text("utf-8")
    assert (tmp_path / "confusion.png").stat().st_size > 1000


def test_nbow_knows_words_by_their_embeddings_alone(files, lm, tmp_path):
    """A word that training never saw is judged by its embedding, bow cannot."""
    known = [
        *((text, "good") for text in GOOD[:3]),
        *((text, "bad") for text in BAD[:3]),
    ]
    train = tmp_path / "train.tsv"
    rows = "".join(f"{text}\t{label}\n" for text, label in known)
    train.write_text(f"text\tlabel\n{rows}", "utf-8")
    paths = [str(train), *files[1:]]
    run = {"lm": lm, "output": str(tmp_path / "run")}
    embeddings, _ = small_run(paths, method="nbow", **run)
    assert embeddings.predict(["love", "hate"]).tolist() == [1, 0]
    counts, _ = small_run(paths, method="bow", **run)
    assert len(set(counts.predict(["love", "hate"]).tolist())) == 1


def test_ulmfit_adapts_its_language_model_then_its_top_layer_first(files, lm, tmp_path):
    run = tmp_path / "run"
    adapted = run / "backup" / "language_model"
    # As a run that was stopped between the two leaves it.
    config = small_config(files, lm, run, method="ulmfit", epochs=1, lm_epochs=8)
    config = replace(config, lm_learning_rate=0.05)
    before = adapt_language_model(
        config, config.plan().language_model, adapted, verbose=0
    )
    expected = SiATLClassifier.from_preset(str(adapted), num_classes=2)
    model, metrics = finetune(config, verbose=0)
    assert metrics["language_model"] == before
    assert before["perplexity"] < 0.7 * before["perplexity_before"]
    assert len(before["history"]["val_perplexity"]) == 8
    for now, then in zip(
        model.backbone.get_weights(), expected.backbone.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(now, then)
    assert 0 <= metrics["test"]["macro_f1"] <= 1
    assert model.task_head.pooling == "concat"
    assert not (run / "backup").exists()


@pytest.mark.slow
def test_ulmfit_lowers_the_rate_from_layer_to_layer_and_thaws_one_per_epoch(
    files, lm, tmp_path, capsys
):
    _, metrics = small_run(
        files,
        lm,
        tmp_path,
        verbose=2,
        method="ulmfit",
        epochs=5,
        patience=5,
        lm_epochs=1,
        schedule="constant",
        task_learning_rate=0.01,
    )
    rates = {
        name.split("/", 1)[1]: value
        for name, value in metrics["history"][0].items()
        if name.startswith("learning_rate/")
    }
    top_first = [
        "task",
        "backbone/projection",
        "backbone/lstm_1",
        "backbone/lstm_0",
        "embedding",
    ]
    assert list(rates) == top_first
    for depth, name in enumerate(top_first):
        assert rates[name] == pytest.approx(0.01 / 2.6**depth, rel=1e-5)
    thawed = [li for li in capsys.readouterr().out.splitlines() if "now learning" in li]
    assert [line.split(",")[0] for line in thawed] == [
        f"Epoch {n}" for n in range(2, 6)
    ]
    assert all("(1 layer," in line for line in thawed)
    assert "embedding" in thawed[-1]
    assert [logs["stage"] for logs in metrics["history"]] == [1, 2, 2, 2, 2]


def test_one_cycle_ends_with_the_last_epoch_in_every_group(files, lm, tmp_path):
    _, metrics = small_run(
        files,
        lm,
        tmp_path,
        schedule="one_cycle",
        epochs=4,
        patience=4,
        backbone_epoch=2,
        embedding_epoch=3,
        task_learning_rate=0.01,
        pretrained_learning_rate=0.1,
    )
    history = metrics["history"]
    for group, highest in (("task", 0.01), ("backbone", 0.1), ("embedding", 0.1)):
        values = [logs[f"learning_rate/{group}"] for logs in history]
        assert values[-1] == pytest.approx(highest / 1e5, rel=1e-3)
        assert max(values) > 0.5 * highest
    # The task layers are past their peak when the pretrained layers begin.
    assert history[0]["learning_rate/task"] == pytest.approx(0.01)
    assert history[0]["learning_rate/backbone"] == pytest.approx(0.1 / 25)


@pytest.mark.slow
def test_both_language_model_losses_of_training_can_be_sampled(files, lm, tmp_path):
    run = {"output": tmp_path, "method": "ulmfit", "epochs": 3, "lm_epochs": 1}
    _, metrics = small_run(files, lm, **run, sampled_words=8)
    adapting = metrics["language_model"]["history"]
    assert "perplexity" not in adapting and adapting["val_perplexity"][0] > 1
    run = {"output": str(tmp_path / "siatl"), "epochs": 3}
    model, metrics = small_run(files, lm, **run, sampled_words=8)
    assert model.compile_arguments["sampled_words"] == 8
    last = metrics["history"][-1]
    assert last["lm_loss"] > 0
    assert "perplexity" not in last and last["val_perplexity"] > 1


def test_ulmfit_on_a_transformer_is_refused_before_any_training(
    files, transformer, tmp_path
):
    run = tmp_path / "run"
    with pytest.raises(ValueError, match="'ulmfit'.*`LSTMBackbone` alone.*GPT2Backb"):
        small_run(files, transformer, run, method="ulmfit")
    with pytest.raises(ValueError, match="`LSTMBackbone` alone.*GPT2Backbone"):
        training = ulmfit().language_model
        adapt_language_model(
            small_config(files, transformer, run), training, run / "lm"
        )
    assert not run.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lora_rank": 2}, "`lora_rank` is for transformers"),
        ({"gradient_checkpointing": True}, "`gradient_checkpointing` is for transf"),
        (
            {"gamma_initial": float("nan")},
            "`gamma_initial` must be a positive number.*gamma_initial=nan",
        ),
    ],
    ids=str,
)
def test_what_would_stop_ulmfit_later_is_refused_before_any_training(
    files, lm, tmp_path, arguments, message
):
    run = tmp_path / "run"
    with pytest.raises(ValueError, match=message):
        small_run(files, lm, run, method="ulmfit", **arguments)
    assert not run.exists()


@pytest.mark.parametrize(
    ("method", "pretrained_rate"),
    [("siatl", 5e-5), pytest.param("last-token", 5e-4, marks=pytest.mark.slow)],
)
def test_a_transformer_of_keras_hub_is_fine_tuned(
    files, transformer, tmp_path, method, pretrained_rate
):
    model, metrics = small_run(files, transformer, tmp_path, method=method, epochs=2)
    assert len(metrics["history"]) == 2 and metrics["test"]["macro_f1"] > 0
    last = metrics["history"][-1]
    rates = {
        group: last[f"learning_rate/{group}"]
        for group in ("task", "backbone", "embedding")
    }
    assert rates == pytest.approx(
        {"task": 5e-4, "backbone": pretrained_rate, "embedding": pretrained_rate}
    )
    again = SiATLClassifier.from_preset(str(tmp_path / "model"))
    assert type(again.backbone) is keras_hub.models.GPT2Backbone
    np.testing.assert_allclose(
        again.predict(GOOD, verbose=0), model.predict(GOOD, verbose=0), atol=1e-5
    )


# Without a run: tests/models/test_keras_hub_backbones.py.
@pytest.mark.slow
def test_with_lora_a_transformer_s_own_weights_stay(files, transformer, tmp_path):
    before = keras_hub.models.Backbone.from_preset(transformer)
    model, metrics = small_run(
        files,
        transformer,
        tmp_path,
        lora_rank=2,
        gradient_checkpointing=True,
        epochs=3,
        backbone_epoch=2,
        embedding_epoch=3,
        pretrained_learning_rate=0.01,
    )
    assert len(metrics["history"]) == 3
    old, new = (b.token_embedding.embeddings.numpy() for b in (before, model.backbone))
    np.testing.assert_array_equal(old, new)
    learned = groups_of(model).variables["backbone"]
    assert any(v.name.startswith("lora") and v.numpy().any() for v in learned)


@pytest.mark.slow
def test_a_stopped_run_with_lora_goes_on(files, transformer, tmp_path, monkeypatch):
    def run(folder):
        return small_run(
            files,
            transformer,
            str(tmp_path / folder),
            method="siatl",
            lora_rank=2,
            epochs=5,
            backbone_epoch=2,
            embedding_epoch=3,
            average_momentum=0.5,
            pretrained_learning_rate=0.01,
        )

    def stop(self, epoch, logs=None):
        if epoch == 3:
            raise KeyboardInterrupt

    expected, whole = run("whole")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(GroupLearningRates, "on_epoch_begin", stop)
        run("stopped")
    assert (tmp_path / "stopped" / "backup" / "backup.npz").exists()
    model, metrics = run("stopped")
    # As text: a NaN, where stage 1 computes no LM loss, equals none.
    assert str(metrics["history"]) == str(whole["history"])
    assert [w.name for w in model.weights].count("lora_kernel_b") == 4
    for mine, theirs in zip(model.weights, expected.weights, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_lora_without_attention_is_refused(files, lm, tmp_path):
    with pytest.raises(ValueError, match="`lora_rank` needs.*LSTMBackbone"):
        small_run(files, lm, tmp_path, lora_rank=2)


def test_the_figures_of_a_run_are_in_its_folder(files, lm, tmp_path):
    _, metrics = small_run(files, lm, tmp_path, method="bow")
    assert json.loads((tmp_path / "metrics.json").read_text()) == metrics


def test_without_validation_texts_some_of_each_class_are_held_out(files, lm, tmp_path):
    files = [files[0], "", files[2]]
    config = small_config(files, lm, tmp_path / "run", epochs=2)
    data = RunData.read(config)
    # A tenth of 32, the same for a run that is started again.
    assert (len(data.train.texts), len(data.held_out.texts)) == (28, 4)
    assert sorted(data.held_out.labels) == ["bad", "bad", "good", "good"]
    assert sorted(data.train.lines + data.held_out.lines) == list(range(2, 34))
    assert RunData.read(config).held_out == data.held_out
    other = RunData.read(replace(config, seed=1)).held_out
    assert other.lines != data.held_out.lines
    half = RunData.read(replace(config, validation_share=0.5))
    assert len(half.held_out.texts) == 16
    _, metrics = finetune(config, verbose=0)
    assert 0 <= metrics["validation"]["macro_f1"] <= 1
    with pytest.raises(ValueError, match="`validation_share` must be"):
        replace(config, validation_share=1.0)


def test_ulmfit_adapts_its_language_model_to_texts_that_are_not_held_out(
    files, lm, tmp_path
):
    settings = {"method": "ulmfit", "epochs": 1, "lm_epochs": 1}
    _, metrics = small_run([files[0], ""], lm, tmp_path / "run", **settings)
    assert metrics["language_model"]["perplexity"] > 1
    assert not (tmp_path / "run" / "backup").exists()


def test_one_text_of_each_class_cannot_be_held_out(lm, tmp_path):
    train = tmp_path / "train.tsv"
    train.write_text("text\tlabel\nso glad\tgood\nso sad\tbad\n", "utf-8")
    config = small_config([train, ""], lm, tmp_path / "run")
    with pytest.raises(ValueError, match="held out for early stopping") as error:
        finetune(config, verbose=0)
    assert "train.tsv" in str(error.value) and "`validation`" in str(error.value)


def test_words_say_what_the_model_has_not_learned(files, lm, tmp_path):
    without = small_run(files, lm, tmp_path / "a", epochs=1, word_scores=False)
    model, metrics = small_run(files, lm, tmp_path / "b", epochs=1)
    assert metrics["history"] == without[1]["history"]
    assert without[1]["test"]["macro_f1"] < metrics["test"]["macro_f1"] == 1
    assert metrics["counted_words"]["model"] == 1
    saved = SiATLClassifier.from_preset(str(tmp_path / "b" / "model"))
    np.testing.assert_array_equal(saved.word_scores.table, model.word_scores.table)


def test_words_are_learned_of_held_out_texts_too_where_none_were_passed(
    files, lm, tmp_path
):
    train, validation, _ = files
    texts = list(read_examples(train).texts)
    for name, passed in {"drawn": "", "passed": validation}.items():
        model, _ = small_run([train, passed], lm, tmp_path / name, epochs=1)
        words = [set(row) for row in model.preprocessor.tokenize(texts).to_list()]
        for word in set.union(*words) - marker_ids(model.preprocessor):
            with_it = sum(word in row for row in words)
            assert float(model.word_scores.rarity[word]) == pytest.approx(
                1 + np.log((1 + len(texts)) / (1 + with_it)), rel=1e-5
            )


@pytest.mark.parametrize("tested", [True, False])
def test_a_run_says_how_counting_words_would_have_done(files, lm, tmp_path, tested):
    files = files if tested else files[:2]
    run = tmp_path / "run"
    _, metrics = small_run(files, lm, run, epochs=1, word_scores=False)
    words = metrics["counted_words"]
    _, bow = small_run(files, lm, tmp_path / "bow", method="bow")
    assert "counted_words" not in bow
    part = "test" if tested else "held_out"
    assert words == {
        "measure": "macro_f1",
        "texts": part,
        "model": pytest.approx(metrics[part]["macro_f1"]),
        "words": pytest.approx(bow[part]["macro_f1"]),
    }
    assert words["words"] > words["model"]
    assert "plain model is the better one here" in comparison_line(words)
    swapped = words | {"model": 1.0, "words": 0.5}
    assert "better" not in comparison_line(swapped)
    assert "better" in comparison_line(swapped | {"measure": "mae"})
