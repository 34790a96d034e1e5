"""finetune of every kind of task, and of its linear models, from files to a report."""

import json
import random

import numpy as np
import pytest

from recipes.reproduction.main_table import MainTable
from recipes.reproduction.run_key import RunKey
from recipes.reproduction.run_result import RunResult
from rigs.small_task import BAD, GOOD, small_config, small_run
from siatl_keras.data import read_examples
from siatl_keras.evaluation import Predictions
from siatl_keras.inputs import Column
from siatl_keras.models import SiATLClassifier
from siatl_keras.runs import evaluate_classifier

# What a text of each kind is labelled with: a good one, a bad one.
LABELS = {
    "multi_label": ("kind,warm", ""),
    "ordinal": ("high", "low"),
    "regression": ("21.5", "-3"),
}
PICTURES = {
    "multi_label": "f1_by_label.png",
    "ordinal": "confusion.png",
    "regression": "predicted.png",
}
BEST = {"multi_label": 1.0, "ordinal": 1.0, "regression": 0.0}
SETTINGS = {"epochs": 25, "patience": 20, "task_learning_rate": 0.02}


def settings(task):
    return {"task": task, "levels": "low,middle,high" if task == "ordinal" else ""}


@pytest.fixture(
    params=[
        pytest.param(task, marks=[] if task == "multi_label" else [pytest.mark.slow])
        for task in LABELS
    ]
)
def task(request):
    return request.param


@pytest.fixture
def files(task, tmp_path):
    generator = random.Random(0)
    paths = []
    for name, size in (("train", 32), ("validation", 8), ("test", 12)):
        rows = [
            f"{generator.choice(texts)}\t{label}"
            for label, texts in zip(LABELS[task], (GOOD, BAD), strict=True)
            for _ in range(size // 2)
        ]
        # Which level lies between the two, no text must have.
        path = tmp_path / f"{name}.tsv"
        path.write_text("\n".join(["text\tlabel", *rows]) + "\n", "utf-8")
        paths.append(str(path))
    return paths


def test_a_run_ends_with_the_report_of_its_task(task, files, lm, tmp_path):
    output = tmp_path / "run"
    model, metrics = small_run(files, lm, output, **settings(task), **SETTINGS)
    assert metrics["task"] == task
    main = metrics["measures"][0]
    assert metrics["test"][main] == pytest.approx(BEST[task], abs=3)
    if task != "regression":
        assert metrics["test"][main] > 0.9
    for name in ("report.txt", PICTURES[task], "predictions.tsv", "training.png"):
        assert (output / name).stat().st_size > 20
    assert json.loads((output / "metrics.json").read_text())["test"] == metrics["test"]
    if task != "regression":
        assert metrics["test"]["calibration"]["ece"] < 0.1
        assert (output / "reliability.png").exists()
        assert model.task.confidence.temperature != 1.0
    again = SiATLClassifier.from_preset(str(output / "model"))
    assert again.task == model.task
    examples = read_examples(files[2], empty_labels=True)
    report = evaluate_classifier(again, examples, tmp_path).report
    for name, value in report.measures.items():
        assert value == pytest.approx(metrics["test"][name], abs=1e-4)
    assert len(Predictions.read(tmp_path / "predictions.tsv").targets) == 12


@pytest.mark.parametrize("method", ["bow", "nbow"])
def test_linear_models_are_tested_alike_and_stand_in_one_table(
    task, method, files, lm, tmp_path
):
    runs = []
    for name in (method, "siatl"):
        key = RunKey("small", name, 0)
        output = tmp_path / key.folder
        _, metrics = small_run(
            files, lm, output, method=name, **settings(task), epochs=1
        )
        runs.append(RunResult.read(tmp_path, key))
        assert metrics["validation"]["task_loss"] >= 0
    first, second = runs
    assert first.measures == second.measures
    assert first.value(first.measures[0]) == pytest.approx(BEST[task], abs=1.5)
    markdown = MainTable.of(runs, [method, "siatl"]).to_markdown()
    assert f"| {method} | " in markdown and "| siatl | " in markdown


def test_levels_are_for_ordinal_tasks_and_words_need_them(files, lm, tmp_path, task):
    if task != "ordinal":
        with pytest.raises(ValueError, match="`levels` are those of --task=ordinal"):
            small_config(files, lm, tmp_path / "run", task=task, levels="a,b")
        return
    with pytest.raises(ValueError, match="train.tsv holds levels that are no whole"):
        small_run(files, lm, tmp_path / "run", task=task)
    with pytest.raises(ValueError, match="train.tsv, lines? 2.*'high' is not among"):
        small_run(files, lm, tmp_path / "run", task=task, levels="low,mid")


def test_on_a_transformer_every_task_s_head_begins_with_what_it_can_know(
    task, files, transformer, tmp_path
):
    output = tmp_path / "run"
    given = {"sequence_length": None, "epochs": 2, **settings(task)}
    model, metrics = small_run(files, transformer, output, **given)
    assert metrics["method"] == "lower-half"
    # The first epoch, in which the head alone learns, is no worse than guessing.
    first = metrics["history"][0]
    guessing = model.task.mean_loss(
        model.task.encode(Column.of_file(read_examples(files[0], empty_labels=True))),
        np.zeros((32, model.task.num_outputs), "float32"),
    )
    if task == "regression":
        guessing = 1.0  # Of standardised numbers, their mean's.
    assert first["val_task_loss"] < 0.9 * guessing
