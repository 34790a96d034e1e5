"""Real runs that are killed at each step after their training."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("killed_runs.py")
STEPS = {
    "siatl": [
        "replace run/data.txt",
        "rename run/model",
        "replace run/training.png",
        "replace run/report.txt",
        "replace run/confusion.png",
        "replace run/reliability.png",
        "replace run/predictions.tsv",
        "replace run/doubtful_labels.tsv",
        "replace model/README.md",
        "replace run/report.html",
        "replace run/metrics.json",
        "rmtree run/backup",
    ],
    "ulmfit": [
        "replace run/data.txt",
        "replace texts/train.jsonl",
        "replace texts/held_out.jsonl",
        "rename backup/language_model",
        "rmtree backup/language_model_training",
    ],
    "folds": [
        "replace run/data.txt",
        "replace backup/fold_1.npz",
        "rmtree backup/fold_1",
        "replace backup/fold_2.npz",
        "rmtree backup/fold_2",
    ],
    "pretraining": [
        "rename killed/preset",
        "replace run/metrics.json",
        "rmtree run/backup",
    ],
}


# Killed within its training: tests/callbacks/test_backup_and_restore.py.
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pretraining", "siatl", "ulmfit", "folds"])
def test_a_run_killed_after_its_training_is_finished_without_training_again(
    tmp_path, run_python, kind
):
    printed = run_python(SCRIPT, tmp_path, kind)
    steps = [step.replace("whole/", "killed/") for step in json.loads(printed)]
    assert steps == STEPS[kind]
    whole, killed = (tmp_path / name / "run" for name in ("whole", "killed"))
    metrics = json.loads((killed / "metrics.json").read_text())
    assert metrics == json.loads((whole / "metrics.json").read_text())
    weights = "../preset" if kind == "pretraining" else "model"
    checksums = f"{weights}/weights.sha256"
    assert (killed / checksums).read_text() == (whole / checksums).read_text()
    once = Counter(re.findall(r"^epoch \d+/\d+", log(whole), re.M))
    assert Counter(re.findall(r"^epoch \d+/\d+", log(killed), re.M)) == once
    before = ("replace texts/", "replace run/data.txt")
    after_training = [step for step in steps if not step.startswith(before)]
    assert log(killed).count("Resuming after epoch") >= len(after_training) - 2
    assert not (killed / "backup").exists()
    left = [*tmp_path.rglob(".partial-*"), *tmp_path.rglob(".replaced-*")]
    assert not left
    if kind == "siatl":
        assert metrics["best_epoch"] < len(metrics["history"])


def log(run):
    return (run.parent / "log").read_text()
