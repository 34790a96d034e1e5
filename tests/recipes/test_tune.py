"""`recipes.tune` on a small experiment, stopped and gone on with."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recipes.reproduction.flag_files import flag_values, read_flag_file

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
# A rate at which so small a model learns at all.
FLAGS = ("--task_learning_rate=0.05", "--lm_hidden_dropout=0.25")


@pytest.fixture(scope="module")
def tune(start_program, small_experiment):
    folder = small_experiment

    def run(*flags, **kwargs):
        given = (f"--flagfile={folder}/flags/small.flags", f"--output={folder}/tuning")
        return start_program("-m", "recipes.tune", *given, *flags, **kwargs)

    return run


@pytest.fixture(scope="module")
def tuned(tune, small_experiment):
    """A search that was killed in its first trial, and started again."""
    output = small_experiment / "tuning"
    given = (f"--flagfile={small_experiment}/flags/small.flags", f"--output={output}")
    command = [sys.executable, "-m", "recipes.tune", *given, "--trials=2", *FLAGS]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL)
    for _ in range(1200):
        if (output / "backup" / "trial_0" / "run").exists():
            break
        time.sleep(0.1)
    process.kill()
    process.wait()
    assert not (output / "trials.md").exists()
    return output, tune("--trials=2", *FLAGS)


def scores(printed):
    """The trials' scores by the number each is reported with."""
    found = re.findall(r"^trial (\d+) of \d+: task_loss ([\d.]+)", printed, re.M)
    return {int(number): float(score) for number, score in found}


def flags_of(printed, number):
    """The flags that a trial is reported with."""
    start = f"trial {number} of "
    line = next(line for line in printed.splitlines() if line.startswith(start))
    return line.split("  ", 1)[1].split()


def test_the_first_trial_is_that_of_the_flags_given(tuned):
    _, printed = tuned
    given = {"--backbone_epoch=1", "--embedding_epoch=2", "--lm_hidden_dropout=0.25"}
    assert given | {"--gamma_final=0.1"} <= set(flags_of(printed, 1))


def test_the_table_has_every_trial_best_first(tuned):
    folder, printed = tuned
    rows = (folder / "trials.md").read_text().splitlines()[2:]
    listed = [float(row.split("|")[2]) for row in rows]
    assert listed == sorted(scores(printed).values())
    assert len(listed) == 2


def test_best_flags_are_the_given_ones_with_the_best_trial_s(tuned, small_experiment):
    folder, printed = tuned
    best = flag_values(read_flag_file(folder / "best.flags"))
    assert best["train"] == f"{small_experiment}/train.tsv"
    assert best["test"] == f"{small_experiment}/test.tsv"
    assert best["batch_size"] == "8" and "output" not in best and "trials" not in best
    given = {f"--{name}={value}" for name, value in best.items()}
    ranks = scores(printed)
    best_number, other_number = sorted(ranks, key=ranks.get)
    assert ranks[best_number] < ranks[other_number]
    assert set(flags_of(printed, best_number)) <= given
    assert not set(flags_of(printed, other_number)) <= given


def test_finetune_takes_the_best_flags_and_finds_the_same(
    tuned, start_program, small_experiment
):
    folder, printed = tuned
    run = small_experiment / "best"
    start_program(
        *("-m", "recipes.finetune", f"--flagfile={folder}/best.flags"),
        f"--output={run}",
    )
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["validation"]["task_loss"] == pytest.approx(
        min(scores(printed).values()), abs=1e-4
    )


def test_a_search_goes_on_with_more_trials_and_refuses_other_flags(tuned, tune):
    folder, printed = tuned
    more = tune("--trials=3", *FLAGS)
    assert list(scores(more)) == [3]
    assert len((folder / "trials.md").read_text().splitlines()) == 2 + 3
    other = tune("--trials=3", "--epochs=3", check=False)
    assert other.returncode == 1 and "--epochs was " in other.stderr


def test_wrong_input_ends_the_search_at_once(tune, small_experiment):
    wrong = f"--train={small_experiment}/nowhere.tsv"
    output = f"--output={small_experiment}/nothing"
    done = tune(wrong, output, "--trials=3", check=False)
    assert done.returncode == 1
    assert "nowhere.tsv: no such file" in done.stderr
    assert "Traceback" not in done.stderr
