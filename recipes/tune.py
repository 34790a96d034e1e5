r"""Searches for the flags of recipes.finetune that do best on the validation texts.

python -m recipes.tune --flagfile=recipes/flags/scv2.flags --trials=30 \
    --output=runs/scv2-tuning
python -m recipes.finetune --flagfile=runs/scv2-tuning/best.flags --output=runs/scv2

Takes all flags of recipes.finetune, and begins with them as they are. Searches over
--backbone_epoch, --embedding_epoch, --gamma_initial, --gamma_final, both learning rates
and two dropouts, as far as the method has a use for them. A stopped search resumes when
started again; one that has ended goes on with more --trials.
"""

from absl import flags

from siatl_keras.atomic import write_text
from siatl_keras.runs import FinetuneConfig
from siatl_keras.runs.search_space import OBJECTIVES

from . import common, config_flags, finetune
from .public_data.catalogue import check_fetched

FLAGS = flags.FLAGS
flags.DEFINE_integer("trials", 20, "Fine-tunings in all.", lower_bound=1)
flags.DEFINE_enum("objective", "task_loss", list(OBJECTIVES), "On validation texts.")
flags.adopt_module_key_flags(finetune)

NOT_FINETUNE_S = ("output", "overwrite", "show_trace")


def main():
    """Searches; writes trials.md and best.flags."""
    from siatl_keras.runs.tune import tune  # It takes the extra [tune].

    check_fetched(FLAGS.train)
    strategy = common.start_training()
    run = common.open_run(strategy)
    best, *_ = tune(
        config_flags.config_from_flags(FinetuneConfig),
        trials=FLAGS.trials,
        objective=FLAGS.objective,
        strategy=strategy,
    )
    path = run.path / "best.flags"
    write_text(path, _best_flags(best))
    print((run.path / "trials.md").read_text("utf-8"))
    print(f"Best: {path}, for python -m recipes.finetune --flagfile={path}")


def _best_flags(best):
    """Writes the flags given, with those of the best trial in their place."""
    lines = [
        flag.serialize()
        for flag in FLAGS.get_key_flags_for_module(finetune)
        if flag.value != flag.default
        and flag.name not in (*NOT_FINETUNE_S, *best.flags)
    ]
    lines += [f"--{name}={value}" for name, value in best.flags.items()]
    score = f"# Validation {FLAGS.objective} {best.score:.4f}, the best of the trials."
    return "\n".join([score, *filter(None, lines)]) + "\n"


if __name__ == "__main__":
    common.run(main)
