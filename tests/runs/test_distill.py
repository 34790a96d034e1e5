"""Whole distillations, of a real teacher into a tiny language model."""

import importlib
import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from rigs.small_task import BAD, GOOD, small_config, small_run
from siatl_keras.data import read_examples
from siatl_keras.models import SiATLClassifier, learn_word_scores
from siatl_keras.runs import DistillConfig, distill, finetune
from siatl_keras.runs.masked_copies import COPIES

# What a language model of eight units learns with in seconds.
QUICK = {
    "method": "p-lm+aux",
    "epochs": 25,
    "patience": 25,
    "task_learning_rate": 0.03,
    "pretrained_learning_rate": 0.03,
    "pretrained_optimizer": "adam",
}
UNLABELLED = ["so glad", "what an awful flight", "i love it", GOOD[0], "i love it"]


@pytest.fixture(scope="module")
def teacher(files, lm, tmp_path_factory):
    run = tmp_path_factory.mktemp("teacher")
    metrics = small_run(files, lm, run, **QUICK)[1]
    assert metrics["test"]["macro_f1"] == 1.0
    return str(run / "model")


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "unlabelled.txt"
    path.write_text("\n".join(UNLABELLED) + "\n", "utf-8")
    return (str(path),)


def distil_config(files, lm, output, **settings):
    """Returns the configuration of a short distillation without dropout."""
    small = small_config(files, lm, output)
    given = {field.name: getattr(small, field.name) for field in fields(small)}
    return DistillConfig(**{**given, **QUICK, "epochs": 8, **settings})


def test_a_student_answers_as_its_teacher_does(files, lm, teacher, texts, tmp_path):
    run = tmp_path / "run"
    config = distil_config(files, lm, run, teacher=teacher, texts=texts)
    model, metrics = distill(config, verbose=0)
    assert metrics["test"]["macro_f1"] == 1.0
    # Twice said, or a training text: not taught again.
    assert metrics["taught_texts"] == 32 * (1 + COPIES) + 3
    assert metrics == json.loads((run / "metrics.json").read_text())
    assert not (run / "backup").exists()
    # Words of which the labelled texts say nothing by themselves.
    asked = [*GOOD, *BAD, "so glad", "i love it", "what an awful flight"]
    large = SiATLClassifier.from_preset(teacher)
    theirs, ours = large.predict_proba(asked), model.predict_proba(asked)
    assert (theirs.argmax(1) == ours.argmax(1)).all()
    saved = SiATLClassifier.from_preset(str(run / "model"))
    np.testing.assert_allclose(saved.predict_proba(asked), ours, rtol=1e-4, atol=1e-6)
    # What words say is learned from the labels, not from the teacher's answers.
    counted = model.word_scores.table.numpy()
    labelled = read_examples(files[0])
    learn_word_scores(model, labelled.texts, labelled.labels)
    np.testing.assert_allclose(counted, model.word_scores.table, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_it_learns_the_teacher_s_answers_where_labels_say_the_opposite(
    files, lm, teacher, tmp_path
):
    """Labels are for the figures; what is taught are the answers."""
    lies = tmp_path / "lies.tsv"
    lines = [
        line.replace("\tgood", "\t?").replace("\tbad", "\tgood").replace("\t?", "\tbad")
        for line in Path(files[0]).read_text("utf-8").splitlines()
    ]
    lies.write_text("\n".join(lines) + "\n", "utf-8")
    paths = [lies, *files[1:]]
    config = distil_config(paths, lm, tmp_path / "run", teacher=teacher)
    assert distill(config, verbose=0)[1]["test"]["macro_f1"] == 1.0
    misled = small_run(paths, lm, tmp_path / "misled", **QUICK)[1]
    assert misled["test"]["macro_f1"] < 0.5


@pytest.mark.slow
def test_a_run_that_was_stopped_asks_its_teacher_no_question_twice(
    files, lm, teacher, tmp_path, monkeypatch, capsys
):
    module = importlib.import_module("siatl_keras.runs.distill")
    monkeypatch.setattr(module, "TEXTS_PER_PART", 50)
    config = distil_config(files, lm, tmp_path / "run", teacher=teacher)
    whole = distill(config, verbose=0)[1]
    again = distil_config(files, lm, tmp_path / "again", teacher=teacher)
    asked = []
    predict = SiATLClassifier.predict

    def counted(self, x, *args, **kwargs):
        asked.append(len(x))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return predict(self, x, *args, **kwargs)

    monkeypatch.setattr(SiATLClassifier, "predict", counted)
    with pytest.raises(KeyboardInterrupt):
        distill(again, verbose=0)
    assert asked == [50, 50, 50]
    metrics = distill(again, verbose=1)[1]
    assert asked[3:5] == [50, 18]
    assert "The teacher has answered 168 of 168 texts" in capsys.readouterr().out
    assert metrics == whole


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "labels", "levels"),
    [
        ("multi_label", {"good": "joy,love", "bad": "anger"}, ""),
        ("ordinal", {"good": "high", "bad": "low"}, "low,high"),
        ("regression", {"good": "4.5", "bad": "1.0"}, ""),
    ],
)
def test_every_kind_of_task_is_taught(files, lm, tmp_path, task, labels, levels):
    paths = []
    for path in files:
        lines = Path(path).read_text("utf-8").splitlines()
        rows = [line.split("\t") for line in lines[1:]]
        lines = ["text\tlabel", *(f"{text}\t{labels[name]}" for text, name in rows)]
        paths.append(tmp_path / path.rsplit("/", 1)[1])
        paths[-1].write_text("\n".join(lines) + "\n", "utf-8")
    kind = {"task": task, "levels": levels, **QUICK}
    config = small_config(paths, lm, tmp_path / "large", **kind)
    large, theirs = finetune(config, verbose=0)
    teacher = str(tmp_path / "large/model")
    config = distil_config(paths, lm, tmp_path / "small", teacher=teacher, **kind)
    small, ours = distill(config, verbose=0)
    assert ours["measures"] == theirs["measures"]
    found, expected = (each.predict_labels(GOOD + BAD) for each in (small, large))
    if task == "regression":
        expected = pytest.approx(expected, abs=0.5)
    assert found == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"teacher": None}, "`teacher` must be given"),
        ({"method": "bow"}, "`method` must be one of"),
        ({"folds": 5, "validation": ""}, "`folds` are for `finetune`.*folds=5"),
        ({"teacher": "nothing/there"}, "nothing/there"),
        (
            {"pair_column": "label", "label_column": "label"},
            "classifies single texts",
        ),
    ],
)
def test_what_cannot_teach_is_refused(files, lm, teacher, tmp_path, settings, message):
    given = {"teacher": teacher, **settings}
    with pytest.raises(ValueError, match=message):
        distill(distil_config(files, lm, tmp_path / "run", **given), verbose=0)


def test_a_teacher_of_other_labels_is_refused(lm, files, teacher, tmp_path):
    other = tmp_path / "other.tsv"
    other.write_text("text\tlabel\nso glad\tup\nso sad\tdown\n" * 8, "utf-8")
    paths = [tmp_path / "other.tsv"] * 3
    with pytest.raises(ValueError, match="single_label of .*bad.*good.*down.*up"):
        distill(distil_config(paths, lm, tmp_path / "run", teacher=teacher), verbose=0)
