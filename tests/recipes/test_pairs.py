"""Recipes on pairs of texts: --pair_column, and a tab on the standard input."""

import json

import pytest

from siatl_keras.data import read_examples
from siatl_keras.models import SiATLClassifier

# A run on pairs in this process: tests/runs/test_pair_column.py.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def experiment(small_experiment):
    """The small experiment's texts, each beside one that is the same or is not."""
    folder = small_experiment / "pairs"
    folder.mkdir()
    for name in ("train", "validation", "test"):
        texts = read_examples(small_experiment / f"{name}.tsv").texts
        rows = ["first\tsecond\tlabel"]
        rows += [f"{text}\t{text}\tsame" for text in texts]
        rows += [f"{text}\ti hate flight !\tother" for text in texts]
        (folder / f"{name}.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    flags = (small_experiment / "flags" / "small.flags").read_text()
    for name in ("train", "validation", "test"):
        flags = flags.replace(f"/{name}.tsv", f"/pairs/{name}.tsv")
    flags += "--text_column=first\n--pair_column=second\n"
    (folder / "pairs.flags").write_text(flags)
    return folder


@pytest.fixture(scope="module")
def finetuned(start_program, experiment):
    start_program(
        *("-m", "recipes.finetune", f"--flagfile={experiment}/pairs.flags"),
        f"--output={experiment}/run",
    )
    return experiment / "run"


def test_finetune_and_evaluate_read_both_columns(start_program, experiment, finetuned):
    assert SiATLClassifier.from_preset(str(finetuned / "model")).takes_pairs
    test = json.loads((finetuned / "metrics.json").read_text())["test"]
    assert "--pair_column=second" in (finetuned / "flags.txt").read_text()
    evaluate = (
        *("-m", "recipes.evaluate", f"--model={finetuned}/model"),
        *(f"--data={experiment}/test.tsv", "--text_column=first"),
    )
    where = f"--output={experiment}/evaluated"
    start_program(*evaluate, where, "--pair_column=second")
    again = json.loads((experiment / "evaluated" / "metrics.json").read_text())
    assert again["macro_f1"] == pytest.approx(test["macro_f1"])
    done = start_program(*evaluate, where, "--overwrite", check=False)
    assert "/model classifies pairs of texts. Name the column" in done.stderr
    assert "Traceback" not in done.stderr


def test_predict_answers_pairs_of_a_file_and_of_lines_alike(
    start_program, experiment, finetuned
):
    predict = ("-m", "recipes.predict", f"--model={finetuned}/model")
    columns = ("--text_column=first", "--pair_column=second")
    printed = start_program(*predict, f"--input={experiment}/test.tsv", *columns)
    header, *rows = printed.splitlines()
    assert header.split("\t")[:3] == ["text", "text_pair", "label"]
    examples = read_examples(experiment / "test.tsv", "first", pair_column="second")
    assert [tuple(row.split("\t")[:2]) for row in rows] == examples.texts
    lines = "".join(f"{first}\t{second}\n" for first, second in examples.texts)
    assert start_program(*predict, stdin=lines) == printed
    as_json = start_program(*predict, "--json", stdin="so glad\tgood\n\n")
    keys = ["text", "text_pair", "label", "probabilities"]
    assert [list(json.loads(line)) for line in as_json.splitlines()] == [keys] * 2
    done = start_program(*predict, stdin="a\tb\nno tab\n", check=False)
    assert "standard input, line 2: expected two texts with a tab" in done.stderr
    assert done.stdout.splitlines()[1].startswith("a\tb\t")
    file = f"--input={experiment}/test.tsv"
    done = start_program(*predict, file, "--text_column=first", check=False)
    assert "Name the column of the second text with `--pair_column`" in done.stderr


def test_explain_shows_pairs_of_a_file_and_literal_ones(
    start_program, experiment, finetuned
):
    explain = (
        *("-m", "recipes.explain", f"--models={finetuned}/model"),
        *("--text_column=first", "--pair_column=second"),
    )
    start_program(
        *(*explain, f"--texts={experiment}/test.tsv", "--texts=so glad\tgood"),
        f"--output={experiment}/explained",
    )
    page = (experiment / "explained" / "attention.html").read_text("utf-8")
    assert page.count("<section>") == 25
    assert "so glad</span><br><span class=text>good" in page
    wrong = (*explain, "--texts=so glad", f"--output={experiment}/none")
    done = start_program(*wrong, check=False)
    assert "a text must be two with a tab between them" in done.stderr


def test_reproduce_and_tune_go_on_pairs(start_program, experiment):
    start_program(
        *("-m", "recipes.reproduce", "--datasets=pairs", "--methods=bow,siatl"),
        *("--seeds=1", "--subset_sizes=8", f"--flags_folder={experiment}"),
        f"--output={experiment}/reproduced",
    )
    subset = experiment / "reproduced/runs/pairs/texts-8/train-seed-0.jsonl"
    examples = read_examples(subset, "first", pair_column="second")
    assert len(examples.texts) == 8 and all(len(pair) == 2 for pair in examples.texts)
    assert "| bow | " in (experiment / "reproduced" / "table.md").read_text()
    tuning = ("-m", "recipes.tune", f"--flagfile={experiment}/pairs.flags")
    start_program(*tuning, "--trials=1", f"--output={experiment}/tuned")
    best = (experiment / "tuned" / "best.flags").read_text()
    assert "--pair_column=second" in best
