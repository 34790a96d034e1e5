"""`summarize`: tables and figures of an experiment, each with the command that made it.

Source: Chronopoulou et al. 2019, table 2 and figures 2 and 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from siatl_keras.atomic import write_json, write_text
from siatl_keras.data import read_examples
from siatl_keras.evaluation import MEASURES
from siatl_keras.runs.finetune_config import METHOD_NAMES

from .experiment_grid import GAMMA_METHOD, NO_GAMMA_METHOD
from .experiment_plots import (
    FORGETTING_STYLES,
    perplexity_by_epoch,
    plot_forgetting,
    plot_gamma,
    plot_training_size,
    runs_by_gamma,
)
from .flag_files import columns_of, flag_values, read_flag_file
from .main_table import MainTable
from .run_key import RunKey, finished_runs
from .run_missing import beside
from .run_result import RunResult
from .spread import Spread


def summarize(output: str | Path, program: str) -> None:
    """Tabulates and draws what the finished runs in `output` have to show.

    `table.md`, `table.json` from runs on all training texts; `training_size.png` if
    there are runs on subsets; `forgetting.png` if any logged the LM's perplexity;
    `gamma.png`, `gamma.md` if any had a γ of their own.

    Args:
        output: folder of the experiment, with `runs` in it.
        program: how the command that makes a figure again begins.

    Raises:
        ValueError: if a run's files cannot be read.
    """
    output = Path(output)
    runs = output / "runs"
    results = [RunResult.read(runs, key) for key in finished_runs(runs)]
    whole = [run for run in results if run.key.variant == "all-texts"]
    if whole:
        _write_table(output, whole, program)
        _draw_forgetting(output, whole, program)
    if subsets := [run for run in results if run.key.texts is not None]:
        _draw_training_size(output, subsets, whole, program)
    if gammas := [run for run in results if run.key.gamma is not None]:
        _write_gamma(output, gammas, whole, program)


def reproducing_commands(keys: Sequence[RunKey], program: str) -> list[str]:
    """Works out the commands that do some runs, one for data sets with equal runs.

    Args:
        keys: the runs.
        program: how a command begins.
    """
    datasets: dict[str, list[str]] = {}
    for dataset in dict.fromkeys(key.dataset for key in keys):
        own = [key for key in keys if key.dataset == dataset]
        compared = {key.method for key in own if key.gamma is None} or {GAMMA_METHOD}
        options = [
            f"--methods={','.join(m for m in METHOD_NAMES if m in compared)}",
            f"--seeds={max(key.seed for key in own) + 1}",
        ]
        if sizes := sorted({key.texts for key in own if key.texts is not None}):
            options.append(f"--subset_sizes={','.join(map(str, sizes))}")
        if gammas := sorted({key.gamma for key in own if key.gamma is not None}):
            options.append(f"--gammas={','.join(f'{gamma:g}' for gamma in gammas)}")
        datasets.setdefault(" ".join(options), []).append(dataset)
    return [
        f"{program} --datasets={','.join(names)} {options}"
        for options, names in datasets.items()
    ]


def _write_table(output: Path, whole: Sequence[RunResult], program: str) -> None:
    table = MainTable.of(whole, list(METHOD_NAMES))
    commands = _commands(whole, program)
    write_json(output / "table.json", {**table.to_dict(), "commands": commands})
    write_text(output / "table.md", table.to_markdown() + _code(commands))


def _draw_forgetting(output: Path, whole: Sequence[RunResult], program: str) -> None:
    shown = [
        run
        for run in whole
        if run.key.method in FORGETTING_STYLES and perplexity_by_epoch(run)
    ]
    if shown:
        caption = " ; ".join(_commands(shown, program))
        plot_forgetting(shown, caption, output / "forgetting.png")


def _draw_training_size(
    output: Path,
    subsets: Sequence[RunResult],
    whole: Sequence[RunResult],
    program: str,
) -> None:
    curves = {(run.key.dataset, run.key.method) for run in subsets}
    ends = [run for run in whole if (run.key.dataset, run.key.method) in curves]
    shown = [*subsets, *ends]
    plot_training_size(
        shown,
        list(METHOD_NAMES),
        {run.key.dataset: _count_texts(output / "runs", run.key) for run in ends},
        " ; ".join(_commands(shown, program)),
        output / "training_size.png",
    )


def _write_gamma(
    output: Path,
    gammas: Sequence[RunResult],
    whole: Sequence[RunResult],
    program: str,
) -> None:
    datasets = {run.key.dataset for run in gammas}
    whole = [run for run in whole if run.key.dataset in datasets]
    none = [run for run in whole if run.key.method == NO_GAMMA_METHOD]
    shown = [*none, *gammas]
    commands = _commands(shown, program)
    plot_gamma(shown, " ; ".join(commands), output / "gamma.png")
    lines: list[str] = []
    measures: list[str] = []
    for dataset in sorted(datasets):
        own = [run for run in shown if run.key.dataset == dataset]
        if own[0].measures[:2] != measures:
            measures = own[0].measures[:2]
            first, second = (MEASURES[name].title for name in measures)
            lines += [""] if lines else []
            lines += [
                f"| data set | γ | seeds | test {first} | {second} | LM perplexity |",
                "|---|---|---|---|---|---|",
            ]
        rows = {f"{gamma:g}": runs for gamma, runs in runs_by_gamma(own).items()}
        as_given = [
            run
            for run in whole
            if run.key.dataset == dataset and run.key.method == GAMMA_METHOD
        ]
        if as_given:
            rows["as in the flag file"] = as_given
        lines += [_gamma_row(dataset, gamma, runs) for gamma, runs in rows.items()]
    lines += [
        "",
        "Mean ± standard deviation over seeds. A number is γ in all epochs; γ = 0 is "
        f"{NO_GAMMA_METHOD}. LM perplexity: on the validation texts, in the end.",
    ]
    write_text(output / "gamma.md", "\n".join(lines) + "\n" + _code(commands))


def _gamma_row(dataset: str, gamma: str, runs: Sequence[RunResult]) -> str:
    perplexities = [run.lm_perplexity for run in runs if run.lm_perplexity is not None]
    cells = [
        dataset,
        gamma,
        str(len(runs)),
        *(
            str(Spread.of(run.value(name) for run in runs))
            for name in runs[0].measures[:2]
        ),
        f"{Spread.of(perplexities).mean:.1f}" if perplexities else "–",
    ]
    return f"| {' | '.join(cells)} |"


def _count_texts(runs: Path, key: RunKey) -> int:
    values = flag_values(read_flag_file(beside(runs, key, ".flags")))
    columns = columns_of(values)
    return len(read_examples(values["train"], *columns).texts)


def _commands(results: Sequence[RunResult], program: str) -> list[str]:
    return reproducing_commands([run.key for run in results], program)


def _code(commands: Sequence[str]) -> str:
    return "\n```\n" + "\n".join(commands) + "\n```\n"
