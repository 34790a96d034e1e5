"""Macro F1 of ours and of peers, all with their defaults, on the same texts.

python -m benchmarks.quality --data=data --seeds=3

Peers need `pip install "siatl_keras[bench]"`, and our larger language model
`python -m recipes.fetch_model`. Each fit is a process of its own, whose figures are
kept: what is stopped goes on where it was.
"""

import itertools
import json
import statistics
import subprocess
import sys
from pathlib import Path

from absl import app, flags

from benchmarks import report
from benchmarks.quality.sets import SETS
from benchmarks.quality.sides import SIDES
from siatl_keras.atomic import write_json

FLAGS = flags.FLAGS
flags.DEFINE_string("data", "data", "Folder of the data sets' folders.")
flags.DEFINE_list("sets", list(SETS), "Names of data sets.")
flags.DEFINE_multi_enum("side", list(SIDES), list(SIDES), "A side. May be repeated.")
flags.DEFINE_integer("seeds", 3, "Fits of each side on each data set.", 1)
flags.DEFINE_string("runs", "runs/quality", "Folder of what each fit has found.")
flags.DEFINE_string(
    "results", str(report.RESULTS / "quality.json"), "File of all figures."
)
flags.register_validator(
    "sets", lambda names: set(names) <= set(SETS), f"must be of {', '.join(SETS)}."
)


def main(_):
    """Runs what has not been run, then prints the table."""
    runs = Path(FLAGS.runs)
    runs.mkdir(parents=True, exist_ok=True)
    for seed, data_set, side in itertools.product(
        range(FLAGS.seeds), FLAGS.sets, FLAGS.side
    ):
        kept = _kept(runs, side, data_set, seed)
        if not kept.exists():
            print(f"{data_set}: {side}, seed {seed}", flush=True)
            arguments = [side, data_set, str(seed), FLAGS.data, str(kept)]
            command = [sys.executable, "-m", "benchmarks.quality.fit", *arguments]
            if subprocess.run(command, check=False).returncode:
                print(f"  {side} failed; its error is above.", flush=True)
    found = {
        side: {
            data_set: [
                json.loads(kept.read_text("utf-8"))
                for seed in range(FLAGS.seeds)
                if (kept := _kept(runs, side, data_set, seed)).exists()
            ]
            for data_set in FLAGS.sets
        }
        for side in FLAGS.side
    }
    write_json(Path(FLAGS.results), {"machine": report.machine(), "fits": found})
    print(table(found))


def _kept(runs, side, data_set, seed):
    name = "".join(letter if letter.isalnum() else "_" for letter in side)
    return runs / f"{data_set}-{name}-{seed}.json"


def table(found):
    """Renders mean macro F1 by side and data set, and what it costs, as Markdown."""
    sets = list(next(iter(found.values())))
    heads = [
        "side",
        *sets,
        "mean",
        "calibration error",
        "seconds to fit",
        "texts per second",
        "memory",
        "size",
    ]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for side, by_set in found.items():
        scores = [_mean(by_set[data_set], "macro_f1") for data_set in sets]
        fits = [fit for each in by_set.values() for fit in each]
        whole = None not in scores
        cells = [side, *(_shown(score, 3) for score in scores)]
        cells.append(_shown(statistics.mean(scores) if whole else None, 3))
        cells += [
            _shown(_mean([fit for fit in fits if "ece" in fit], "ece"), 3),
            _shown(_mean(fits, "fit_seconds"), 0),
            _shown(_mean(fits, "texts_per_second"), 0),
            f"{_shown(_mean(fits, 'memory_mb'), 0)} MB",
            f"{_shown(_mean(fits, 'size_mb'), 0)} MB",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _mean(fits, name):
    return statistics.mean(fit[name] for fit in fits) if fits else None


def _shown(number, digits):
    return "" if number is None else f"{number:.{digits}f}"


if __name__ == "__main__":
    app.run(main)
