r"""Fine-tunes a classifier on labelled texts, on top of a language model.

siatl finetune --data=reviews.csv
siatl finetune --data=reviews.csv --folds=5 --output=runs/folds
siatl finetune --data=reviews.csv --lm=smollm2_135m  # fetched by siatl fetch-model

In a clone, on the sample data:

python -m recipes.finetune --data=recipes/data/support_desk/train.tsv \
    --test=recipes/data/support_desk/test.tsv --output=runs/support_desk

Stopped runs resume when started again with the same --output.
"""

from pathlib import Path

from absl import flags

from siatl_keras.runs import FinetuneConfig, finetune

from . import common, config_flags
from .public_data.catalogue import check_fetched

FLAGS = flags.FLAGS
common.define_training_flags("runs/ and the name of the training file")
config_flags.define_flags(FinetuneConfig)
flags.adopt_module_key_flags(common)
flags.DEFINE_alias("data", "train")
flags.mark_flags_as_required(["train"])


def main():
    """Fine-tunes, and writes the model and its report into the run's folder."""
    check_fetched(FLAGS.train)
    if FLAGS.output is None:
        FLAGS.output = str(Path("runs") / Path(FLAGS.train).name.partition(".")[0])
    strategy = common.start_training()
    run = common.open_run(strategy)
    config = config_flags.config_from_flags(FinetuneConfig)
    common.report(run, finetune(config, strategy, common.verbosity())[1])


if __name__ == "__main__":
    common.run(main)
