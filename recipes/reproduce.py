r"""Does the runs of the paper's tables and figures, and tabulates and draws them.

python -m recipes.reproduce --datasets=scv2,imdb_small --seeds=5 --output=runs/paper
python -m recipes.reproduce --datasets=scv2 --subset_sizes=100,200,400,800 \
    --gammas=0,0.05,0.2,0.5,1.0 --output=runs/paper
python -m recipes.reproduce --flags_folder=my_flags --datasets=mine --output=runs/mine

A method with settings of its own has them in <dataset>_<method>.flags.

Runs that have finished are not done again, and a stopped one goes on: start it again as
often as you like. Calls with the same --output add up. It writes table.md, table.json,
training_size.png, forgetting.png, gamma.png and gamma.md, each with its command.
"""

import sys

from absl import flags

from siatl_keras.runs import METHOD_NAMES

from . import common
from .reproduction.reproduce import FLAGS_FOLDER, reproduce

FLAGS = flags.FLAGS
flags.DEFINE_list("datasets", None, "Names of flag files.", required=True)
flags.DEFINE_list("methods", list(METHOD_NAMES), "Methods for the table.")
flags.DEFINE_integer("seeds", 5, "Runs of each.", lower_bound=1)
flags.DEFINE_list("subset_sizes", [], "Numbers of training texts, for the curve.")
flags.DEFINE_list("gammas", [], "Values of γ to compare; 0 is p-lm+su.")
flags.DEFINE_string("flags_folder", FLAGS_FOLDER, "Where <dataset>.flags lie.")
flags.DEFINE_string("output", None, "Folder of the experiment.", required=True)


def main():
    """Runs, summarises, and ends with what failed, if anything did."""
    failed = reproduce(
        FLAGS.datasets,
        FLAGS.methods,
        FLAGS.output,
        seeds=FLAGS.seeds,
        subset_sizes=_numbers("subset_sizes", int),
        gammas=_numbers("gammas", float),
        flags_folder=FLAGS.flags_folder,
        command=[sys.executable, "-m", f"{__package__}.finetune"],
    )
    for failure in failed:
        print(f"\n{failure}", file=sys.stderr)
    print(f"Tables and figures: {FLAGS.output}")
    if failed:
        raise SystemExit(f"{len(failed)} runs failed. Start it again to retry them.")


def _numbers(name, kind):
    try:
        return [kind(value) for value in FLAGS[name].value]
    except ValueError as error:
        raise ValueError(f"--{name}: {error}") from None


if __name__ == "__main__":
    common.run(main)
