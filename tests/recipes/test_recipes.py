"""The recipes in a row, each a program of its own, as somebody would run them."""

import json
import random

import numpy as np
import pytest
import tensorflow as tf

from rigs.board import board

GOOD = ["so glad today", "what a lovely day", "really good flight", "i love this"]
BAD = ["so sad today", "what an awful day", "really bad flight", "i hate this"]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    generator = random.Random(0)
    for name, size in (("train", 32), ("validation", 8), ("test", 12)):
        rows = [
            f"{generator.choice(texts)}{generator.choice(['', '!', ' again'])}\t{label}"
            for label, texts in (("good", GOOD), ("bad", BAD))
            for _ in range(size // 2)
        ]
        lines = ["text\tlabel", *rows]
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def recipe(start_program):
    def run(name, *flags, **kwargs):
        return start_program("-m", f"recipes.{name}", *flags, **kwargs)

    return run


@pytest.fixture(scope="module")
def lm(work, recipe):
    recipe(
        "build_vocabulary",
        f"--corpus={work}/train.tsv",
        "--size=40",
        f"--output={work}/vocabulary",
    )
    recipe(
        "pretrain_lm",
        f"--train={work}/train.tsv",
        f"--validation={work}/validation.tsv",
        f"--vocabulary={work}/vocabulary/vocabulary.txt",
        f"--preset={work}/lm",
        f"--output={work}/pretraining",
        *("--embedding_dim=6", "--hidden_dim=8", "--batch_size=8"),
        *("--steps=8", "--steps_per_epoch=4", "--devices=cpu"),
    )
    return work / "lm"


@pytest.fixture(scope="module")
def finetuned(work, lm, recipe):
    flags = (
        f"--train={work}/train.tsv",
        f"--validation={work}/validation.tsv",
        f"--test={work}/test.tsv",
        f"--lm={lm}",
        *("--epochs=3", "--embedding_epoch=3", "--units=4", "--batch_size=8"),
        "--average_momentum=0.9",
        f"--output={work}/run",
    )
    printed = recipe("finetune", *flags, "--devices=cpu:2")
    assert "stage 2: now learning backbone" in printed
    assert "stage 3: now learning embedding" in printed
    return work / "run"


def test_pretraining_reports_its_perplexity(lm, work):
    metrics = json.loads((work / "pretraining" / "metrics.json").read_text())
    assert 1 < metrics["validation_perplexity"] < 60
    assert len(metrics["history"]["perplexity"]) == 2
    assert (lm / "perplexity.png").stat().st_size > 1000


def test_finetuning_leaves_a_whole_run_folder(finetuned):
    metrics = json.loads((finetuned / "metrics.json").read_text())
    assert [epoch["stage"] for epoch in metrics["history"]] == [1, 2, 3]
    assert not np.isfinite(metrics["history"][0]["lm_loss"] or np.nan)
    assert metrics["history"][1]["lm_loss"] > 0
    assert 0 <= metrics["test"]["macro_f1"] <= 1
    assert "--embedding_epoch=3" in (finetuned / "flags.txt").read_text()
    for name in ("report.txt", "confusion.png", "training.png", "model/config.json"):
        assert (finetuned / name).stat().st_size > 0
    assert not list(finetuned.glob("backup/*"))


def test_tensorboard_shows_gamma_stage_losses_and_rates(finetuned):
    folder = finetuned / "tensorboard"
    train, validation = board(folder / "train"), board(folder / "validation")
    assert list(train["3 schedule/stage"].values()) == [1, 2, 3]
    gammas = list(train["3 schedule/gamma"].values())
    assert gammas[0] == pytest.approx(0.2) and gammas[0] > gammas[1] > gammas[2]
    for tag in (
        "1 task/2 loss",
        "1 task/1 macro_f1",
        "3 schedule/learning rate task",
        "3 schedule/learning rate backbone",
    ):
        assert list(train[tag]) == [1, 2, 3]
    assert list(train["2 language model/loss"]) == [2, 3]
    assert list(validation["2 language model/perplexity"]) == [1, 2, 3]
    assert board(folder)["4 result/confusion"]


def test_finished_run_is_not_overwritten(finetuned, recipe, work, lm):
    files = [f"--{name}={work}/train.tsv" for name in ("train", "validation")]
    done = recipe(
        "finetune", *files, f"--lm={lm}", f"--output={finetuned}", check=False
    )
    assert done.returncode != 0
    assert "--overwrite" in done.stderr and "Traceback" not in done.stderr


def test_evaluate_says_what_finetune_said(finetuned, recipe, work):
    printed = recipe(
        "evaluate",
        f"--model={finetuned}/model",
        f"--data={work}/test.tsv",
        f"--output={work}/evaluation",
    )
    assert "macro F1" in printed and "rows: true class" in printed
    expected = json.loads((finetuned / "metrics.json").read_text())["test"]
    received = json.loads((work / "evaluation" / "metrics.json").read_text())
    # The model that was tested in training may have had another precision.
    for name in ("ece", "brier"):
        value = expected["calibration"][name]
        assert received["calibration"][name] == pytest.approx(value, abs=1e-3)
    assert {**received, "calibration": {}} == {**expected, "calibration": {}}
    assert (work / "evaluation" / "reliability.png").stat().st_size > 1000
    assert "confidence  texts answered  of these right" in printed


def test_a_fine_tuned_model_teaches_another(finetuned, recipe, work, lm):
    (work / "unlabelled.txt").write_text("so glad\nwhat a day\nreally bad\n", "utf-8")
    printed = recipe(
        "distill",
        *(f"--{name}={work}/{name}.tsv" for name in ("train", "validation", "test")),
        f"--teacher={finetuned}/model",
        f"--texts={work}/unlabelled.txt",
        f"--lm={lm}",
        *("--epochs=2", "--units=4", "--batch_size=8"),
        f"--output={work}/student",
    )
    assert "The teacher has answered " in printed
    assert "macro F1" in printed and "counting words" in printed
    metrics = json.loads((work / "student" / "metrics.json").read_text())
    assert metrics["taught_texts"] > 32 and len(metrics["history"]) == 2
    printed = recipe("predict", f"--model={work}/student/model", stdin="so glad\n")
    assert printed.splitlines()[1].split("\t")[1] in ("good", "bad")


def test_what_is_not_sure_enough_gets_no_answer(finetuned, recipe, work):
    how = (f"--model={finetuned}/model", "--abstain_below=0.999")
    printed = recipe("predict", *how, stdin="hm\n")
    assert printed.splitlines()[1].split("\t")[:2] == ["hm", ""]
    printed = recipe("predict", *how, "--json", stdin="hm\n")
    assert json.loads(printed)["label"] is None
    recipe("export", *how, f"--output={work}/abstaining")
    served = tf.saved_model.load(f"{work}/abstaining/1").signatures["serving_default"]
    answer = served(text=tf.constant(["hm"]))
    assert answer["label"].numpy().tolist() == [b""]
    assert answer["label_id"].numpy().tolist() == [-1]
    done = recipe("predict", how[0], "--abstain_below=2", stdin="hm\n", check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "`abstain_below` must be a number in [0, 1)" in done.stderr


def test_predict_streams_a_line_for_each_line(finetuned, recipe):
    lines = "so glad today\n\nreally bad\tflight\n"
    printed = recipe("predict", f"--model={finetuned}/model", stdin=lines)
    rows = [line.split("\t") for line in printed.splitlines()]
    assert rows[0] == ["text", "label", "bad", "good"]
    assert [row[0] for row in rows[1:]] == ["so glad today", "", "really bad flight"]
    for row in rows[1:]:
        assert row[1] in ("good", "bad")
        assert sum(map(float, row[2:])) == pytest.approx(1, abs=1e-4)


def test_predict_answers_every_line_of_a_file(finetuned, recipe, work):
    (work / "texts.txt").write_bytes(b"so glad today\n\nbad\xff flight\n \n")
    done = recipe(
        "predict",
        f"--model={finetuned}/model",
        f"--input={work}/texts.txt",
        "--json",
        check=False,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["text"] for one in answers] == [
        "so glad today",
        "",
        "bad\ufffd flight",
        " ",
    ]
    assert set(answers[0]["probabilities"]) == {"good", "bad"}
    assert "texts.txt, line 3: not UTF-8 (byte 4 is 0xff)" in done.stderr


def test_a_baseline_without_training_fills_the_run_folder_too(work, lm, recipe):
    printed = recipe(
        "finetune",
        *(f"--{name}={work}/{name}.tsv" for name in ("train", "validation", "test")),
        f"--lm={lm}",
        "--method=bow",
        f"--output={work}/bow",
    )
    metrics = json.loads((work / "bow" / "metrics.json").read_text())
    assert metrics["method"] == "bow"
    assert f"macro F1 {metrics['test']['macro_f1']:.4f}" in printed


def test_export_recipe_makes_a_version(finetuned, recipe, work):
    printed = recipe("export", f"--model={finetuned}/model", f"--output={work}/served")
    assert printed.strip() == f"{work}/served/1"
    assert (work / "served" / "1" / "saved_model.pb").exists()
    card = (work / "served" / "1" / "assets.extra" / "README.md").read_text("utf-8")
    assert card == (finetuned / "model" / "README.md").read_text("utf-8")
    assert "## Licence" in card


def test_export_recipe_writes_other_formats(finetuned, recipe, work, run_python):
    how = (f"--model={finetuned}/model", f"--output={work}/small")
    printed = recipe("export", *how, "--format=litert", "--weights=float32")
    assert printed.strip() == f"{work}/small/1"
    text = "so glad today"
    answered = json.loads(run_python("-m", "standalone", text, cwd=work / "small/1"))
    line = recipe("predict", how[0], "--json", stdin=f"{text}\n")
    expected = json.loads(line)
    assert answered["label"] == expected["label"]
    assert answered["probabilities"] == pytest.approx(
        expected["probabilities"], abs=1e-4
    )
    card = (work / "small" / "1" / "README.md").read_text("utf-8")
    assert "## Licence" in card
    for other in ("--weights=int8", "--top_k=3"):
        done = recipe("export", *how, "--format=onnx", other, check=False)
        assert done.returncode == 1
        assert f"{other.partition('=')[0]} " in done.stderr
        assert "for --format=" in done.stderr


def test_wrong_file_is_said_in_one_line_without_a_trace(recipe, work, lm):
    broken = work / "broken.tsv"
    broken.write_text("text\tlabel\nonly one field\n")
    done = recipe(
        "finetune",
        f"--train={broken}",
        f"--validation={broken}",
        f"--lm={lm}",
        f"--output={work}/broken",
        check=False,
    )
    assert done.returncode == 1
    assert "broken.tsv, line 2" in done.stderr and "Traceback" not in done.stderr


def test_the_quickstart_deletes_nothing_that_is_not_its_own(tmp_path, recipe):
    (tmp_path / "thesis.txt").write_text("all of it")
    said = recipe("quickstart", "--short", f"--output={tmp_path}", check=False)
    assert "holds files, but no run" in said.stderr
    assert (tmp_path / "thesis.txt").read_text() == "all of it"
