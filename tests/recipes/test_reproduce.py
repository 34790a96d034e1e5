"""`recipes.reproduce` on a small experiment, by real runs of `recipes.finetune`."""

import json

import pytest
from matplotlib.image import imread

from recipes.reproduction.reproduce import reproduce as reproduce_experiment
from recipes.reproduction.run_key import finished_runs
from siatl_keras.data import read_examples

pytestmark = pytest.mark.slow

GRID = ("--datasets=small", "--methods=siatl", "--seeds=1")
VARIANTS = ("--subset_sizes=8,24", "--gammas=0.5")


@pytest.fixture(scope="module")
def reproduce(start_program, small_experiment):
    folder = small_experiment

    def run(*flags, **kwargs):
        where = (f"--output={folder}/out", f"--flags_folder={folder}/flags")
        return start_program("-m", "recipes.reproduce", *where, *flags, **kwargs)

    return run


@pytest.fixture(scope="module")
def reproduced(small_experiment, reproduce):
    reproduce(*GRID, *VARIANTS)
    return small_experiment / "out"


def test_the_grid_s_runs_have_finished_and_each_can_be_done_alone(reproduced):
    keys = finished_runs(reproduced / "runs")
    assert [key.variant for key in keys] == ["all-texts", "gamma-0.5", "texts-8"]
    run = reproduced / "runs" / "small" / "gamma-0.5" / "siatl"
    flags = (run / "seed-0.flags").read_text()
    assert "--gamma_initial=0.5\n--gamma_final=0.5\n" in flags
    history = json.loads((run / "seed-0" / "metrics.json").read_text())["history"]
    assert [logs["gamma"] for logs in history] == [0.5, 0.5]
    assert "best epoch" in (run / "seed-0.log").read_text()


def test_a_subset_is_part_of_the_training_texts(reproduced, small_experiment):
    subset = read_examples(reproduced / "runs/small/texts-8/train-seed-0.jsonl")
    whole = read_examples(small_experiment / "train.tsv")
    assert sorted(subset.labels) == ["bad"] * 4 + ["good"] * 4
    rows = set(zip(whole.texts, whole.labels, strict=True))
    assert set(zip(subset.texts, subset.labels, strict=True)) <= rows


def test_tables_and_figures_are_there_with_their_commands(reproduced):
    table = (reproduced / "table.md").read_text()
    figures = json.loads((reproduced / "table.json").read_text())
    test = json.loads(
        (reproduced / "runs/small/all-texts/siatl/seed-0/metrics.json").read_text()
    )["test"]
    assert f"| siatl | **{test['macro_f1']:.3f}** |" in table
    cell = figures["datasets"]["small"]["siatl"]
    assert cell["macro_f1"]["mean"] == pytest.approx(test["macro_f1"])
    gammas = (reproduced / "gamma.md").read_text()
    assert (
        "| small | 0.5 | 1 |" in gammas and "| small | as in the flag file |" in gammas
    )
    for text in (table, gammas):
        assert "python -m recipes.reproduce --flags_folder=" in text
    for name in ("training_size", "forgetting", "gamma"):
        assert imread(reproduced / f"{name}.png")[..., :3].std() > 0.05


def test_calls_add_up_and_finished_runs_are_not_done_again(reproduced, reproduce):
    metrics = sorted(reproduced.glob("runs/**/metrics.json"))
    before = [path.stat().st_mtime_ns for path in metrics]
    reproduce("--datasets=small", "--methods=p-lm", "--seeds=1")
    assert [path.stat().st_mtime_ns for path in metrics] == before
    table = (reproduced / "table.md").read_text()
    assert "| siatl | " in table and "| p-lm | " in table
    assert "--methods=siatl,p-lm --seeds=1" in table


def test_a_method_may_have_settings_of_its_own(reproduced, reproduce, small_experiment):
    settings = small_experiment / "flags"
    (settings / "small_nbow.flags").write_text(
        f"--flagfile={settings}/small.flags\n--class_weight=balanced\n"
    )
    reproduce("--datasets=small", "--methods=bow,nbow", "--seeds=1")
    runs = reproduced / "runs" / "small" / "all-texts"
    own, others = ((runs / m / "seed-0.flags").read_text() for m in ("nbow", "bow"))
    assert "--class_weight=balanced\n--method=nbow\n" in own
    assert "--class_weight" not in others and "--train=" in own


def test_a_failed_run_is_told_and_the_rest_is_shown(
    reproduced, reproduce, small_experiment
):
    flags = (small_experiment / "flags" / "small.flags").read_text()
    wrong = flags + "--lm=nowhere\n"
    (small_experiment / "flags" / "broken.flags").write_text(wrong)
    grid = ("--datasets=broken", "--methods=siatl", "--seeds=1")
    done = reproduce(*grid, check=False)
    assert done.returncode == 1
    assert "broken/all-texts/siatl/seed-0 failed, see" in done.stderr
    assert "nowhere" in done.stderr and "1 runs failed" in done.stderr
    assert "| siatl | " in (reproduced / "table.md").read_text()


def test_a_finished_run_under_other_flags_is_not_taken_for_this_one(
    reproduced, reproduce, small_experiment
):
    path = small_experiment / "flags" / "small.flags"
    flags = path.read_text()
    path.write_text(flags.replace("--epochs=2", "--epochs=3"))
    done = reproduce(*GRID, check=False)
    path.write_text(flags)
    assert done.returncode == 1
    assert "Different now: --epochs=2 --epochs=3" in done.stderr


def test_a_wrong_number_is_told_without_a_trace(reproduce):
    done = reproduce(*GRID, "--gammas=0,O.5", check=False)
    assert "--gammas: could not convert" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("datasets", "methods", "message"),
    [
        (["smal"], ["siatl"], "Received: smal; there are: .*small"),
        (["small"], ["sialt"], "Received: .*sialt"),
        (["untested"], ["siatl"], r"untested.flags: no --lm, --test"),
    ],
)
def test_unknown_names_are_told_with_those_that_are_known(
    small_experiment, tmp_path, datasets, methods, message
):
    folder = small_experiment / "flags"
    (folder / "untested.flags").write_text("--train=a.tsv\n--validation=b.tsv\n")
    with pytest.raises(ValueError, match=message):
        reproduce_experiment(
            datasets,
            methods,
            str(tmp_path / "out"),
            flags_folder=str(folder),
            command=[],
        )
    assert not (tmp_path / "out").exists()
