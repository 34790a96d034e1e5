"""The table of quality: the same texts for all sides, and nothing fitted twice."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.quality.__main__ import table
from benchmarks.quality.sets import SETS, DataSet
from benchmarks.quality.sides import Answers

REPOSITORY = Path(__file__).parents[2]
GOOD, BAD = ["so good", "good day", "very good"], ["so bad", "bad day", "very bad"]


@pytest.fixture
def root(tmp_path):
    """A folder of data sets, one of which is called cr."""
    folder = tmp_path / "data" / "cr"
    folder.mkdir(parents=True)
    rows = [f"{text}\tgood" for text in GOOD] + [f"{text}\tbad" for text in BAD]
    train = "\n".join(["text\tlabel", *rows * 4]) + "\n"
    (folder / "train.tsv").write_text(train, "utf-8")
    test = "text\tlabel\nall good\tgood\nall bad\tbad\nbroken\tba\n"
    (folder / "test.tsv").write_text(test, "utf-8")
    return tmp_path / "data"


def run(root, runs, results):
    """Runs the command for the side that has no package of its own."""
    command = [sys.executable, "-m", "benchmarks.quality", f"--data={root}"]
    command += ["--sets=cr", "--seeds=1", "--side=TF-IDF + SVM", f"--runs={runs}"]
    command += [f"--results={results}"]
    return subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout


def test_each_side_is_fitted_once_for_each_seed(root, tmp_path):
    runs, results = tmp_path / "runs", tmp_path / "quality.json"
    first = run(root, runs, results)
    assert "cr: TF-IDF + SVM, seed 0" in first
    assert "| TF-IDF + SVM | 1.000 | 1.000 |" in first
    (fit,) = json.loads(results.read_text("utf-8"))["fits"]["TF-IDF + SVM"]["cr"]
    assert fit["macro_f1"] == 1 and fit["memory_mb"] > 1 and fit["size_mb"] > 0
    again = run(root, runs, results)
    assert "seed 0" not in again and again in first
    assert [path.name for path in runs.iterdir()] == ["cr-TF_IDF___SVM-0.json"]


def test_few_texts_are_the_same_in_each_call(root):
    texts, labels = DataSet("cr", per_class=2).train(root)
    assert (texts, labels) == DataSet("cr", per_class=2).train(root)
    assert labels.count("good") == labels.count("bad") == 2
    assert len(DataSet("cr", most=5).train(root)[0]) == 5
    assert len(SETS["cr"].train(root)[0]) == 24
    assert not set(DataSet("cr", per_class=2).unlabelled(root)) & set(texts)
    assert SETS["cr"].unlabelled(root) == []


def test_texts_of_labels_that_cannot_be_known_are_left_out(root):
    assert SETS["cr"].test(root) == (["all good", "all bad"], ["good", "bad"])


def test_probabilities_are_judged_where_a_side_has_them():
    assert Answers(["good", "bad"]).figures(["good", "good"]) == {"macro_f1": 1 / 3}
    answers = Answers.of(["bad", "good"], [[0.3, 0.7], [0.3, 0.7]])
    assert answers.labels == ["good", "good"]
    figures = answers.figures(["good", "bad"])
    assert figures["ece"] == pytest.approx(0.2)
    assert figures["brier"] == pytest.approx(0.58)


def test_what_was_not_fitted_leaves_its_place_empty():
    fit = {
        "macro_f1": 0.5,
        "ece": 0.04,
        "fit_seconds": 2.0,
        "texts_per_second": 100.0,
        "memory_mb": 900.0,
        "size_mb": 26.0,
    }
    found = {"ours": {"cr": [fit, {**fit, "macro_f1": 0.6}], "subj": []}}
    heads, _, row = table(found).splitlines()
    assert heads.startswith("| side | cr | subj | mean |")
    assert row == "| ours | 0.550 |  |  | 0.040 | 2 | 100 | 900 MB | 26 MB |"
