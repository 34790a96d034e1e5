"""`reproduce`: the paper's tables and figures, from whatever runs are still missing.

Source: Chronopoulou et al. 2019, table 2 and figures 2 and 3.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from siatl_keras.atomic import new_file
from siatl_keras.data import read_examples

from ..public_data.catalogue import check_fetched
from .experiment_grid import experiment_grid
from .flag_files import columns_of, flag_values, read_flag_file
from .run_key import RunKey
from .run_missing import FailedRun, beside, run_missing
from .stratified_order import stratified_order
from .summarize import summarize

FLAGS_FOLDER = str(Path(__file__).parents[1] / "flags")


def reproduce(
    datasets: Sequence[str],
    methods: Sequence[str],
    output: str,
    *,
    seeds: int = 5,
    subset_sizes: Sequence[int] = (),
    gammas: Sequence[float] = (),
    flags_folder: str = FLAGS_FOLDER,
    command: Sequence[str],
) -> list[FailedRun]:
    """Does the runs that are missing, then tabulates and draws all that there are.

    `output` gets the folder `runs` and what `summarize` writes. Calls add up: it shows
    every run in `output`, also those that earlier calls have asked for.

    Args:
        datasets: names of data sets, each with a flag file in `flags_folder`. A method
            may have settings of its own there, `<dataset>_<method>.flags`.
        methods: of `METHOD_NAMES`.
        output: folder of the experiment.
        seeds: int, runs of each setting.
        subset_sizes: numbers of training texts for the curve; see `experiment_grid`.
        gammas: values of γ to compare.
        flags_folder: where `<dataset>.flags` lie, in the flags of `finetune`.
        command: what to call with `--flagfile=` and `--output=` for a run.

    Returns:
        the runs that failed.

    Raises:
        ValueError: if a data set or method is unknown, a file cannot be read, or a
            finished run had other flags.
    """
    settings = {name: _dataset_flags(name, Path(flags_folder)) for name in datasets}
    keys = experiment_grid(
        {
            name: len(_training_examples(lines).texts)
            for name, lines in settings.items()
        },
        methods,
        seeds,
        subset_sizes,
        gammas,
    )
    runs = Path(output) / "runs"
    own = {
        (dataset, method): _method_flags(dataset, method, Path(flags_folder))
        or settings[dataset]
        for dataset, method in {(key.dataset, key.method) for key in keys}
    }
    flags = {key: _flags(key, own[key.dataset, key.method], runs) for key in keys}
    for key in keys:
        _refuse_other_flags(key, flags[key], runs)
    for key in keys:
        if key.texts is not None:
            _write_subset(key, settings[key.dataset], runs)
    failed = run_missing(flags, runs, command)
    program = "python -m recipes.reproduce"
    if flags_folder != FLAGS_FOLDER:
        program += f" --flags_folder={flags_folder}"
    summarize(output, f"{program} --output={output}")
    return failed


def _dataset_flags(name: str, folder: Path) -> list[str]:
    path = folder / f"{name}.flags"
    if not path.is_file():
        known = sorted(file.stem for file in folder.glob("*.flags"))
        raise ValueError(
            f"`datasets` must name flag files of {folder}. Received: {name}; there "
            f"are: {', '.join(known) or 'none'}."
        )
    return _read_flags(path)


def _method_flags(dataset: str, method: str, folder: Path) -> list[str] | None:
    path = folder / f"{dataset}_{method}.flags"
    return _read_flags(path) if path.is_file() else None


def _read_flags(path: Path) -> list[str]:
    lines = read_flag_file(path)
    missing = {"train", "validation", "test", "lm"} - flag_values(lines).keys()
    if missing:
        raise ValueError(
            f"{path}: no --{', --'.join(sorted(missing))}. An experiment needs "
            "--train, --validation, --test and --lm."
        )
    check_fetched(flag_values(lines)["train"])
    return lines


def _training_examples(lines: list[str]):  # noqa: ANN202
    values = flag_values(lines)
    return read_examples(values["train"], *columns_of(values))


def _flags(key: RunKey, settings: list[str], runs: Path) -> str:
    """Writes the flag file of a run: that of its data set, and what is its own."""
    own = [f"--method={key.method}", f"--seed={key.seed}"]
    if key.texts is not None:
        own.append(f"--train={_subset_path(key, runs)}")
    if key.gamma is not None:
        own += [f"--gamma_initial={key.gamma}", f"--gamma_final={key.gamma}"]
    return "\n".join([f"# {key.folder}", *settings, *own]) + "\n"


def _refuse_other_flags(key: RunKey, flags: str, runs: Path) -> None:
    """Raises if a finished run's figures are not those of these flags."""
    path = beside(runs, key, ".flags")
    if not (runs / key.folder / "metrics.json").exists() or not path.exists():
        return
    before, now = (
        flag_values([li for li in text.splitlines() if li.startswith("-")])
        for text in (path.read_text("utf-8"), flags)
    )
    if key.texts is not None:  # The subset moves with the experiment's folder.
        before["train"] = now["train"] = ""
    changed = sorted(before.items() ^ now.items())
    if changed:
        listed = " ".join(f"--{name}={value}" for name, value in changed)
        raise ValueError(
            f"{runs / key.folder} is a finished run that had other flags, see {path}. "
            f"Different now: {listed}. Choose another `output`, or delete the run's "
            "folder to have it done again."
        )


def _subset_path(key: RunKey, runs: Path) -> Path:
    folder = runs / key.dataset / key.variant
    return folder / f"train-seed-{key.seed}.jsonl"


def _write_subset(key: RunKey, settings: list[str], runs: Path) -> None:
    """Writes the training texts of a run, those of all methods of its seed."""
    path = _subset_path(key, runs)
    if path.exists():
        return
    examples = _training_examples(settings)
    text, label, pair = columns_of(flag_values(settings))
    with new_file(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        for index in stratified_order(examples.labels, key.seed)[: key.texts]:
            texts = examples.texts[index]
            row = dict(zip((text, pair), texts, strict=True)) if pair else {text: texts}
            row[label] = examples.labels[index]
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
