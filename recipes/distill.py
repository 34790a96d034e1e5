r"""Teaches a small language model what a fine-tuned large one answers.

python -m recipes.finetune --train=train.tsv --output=runs/large --lm=smollm2_135m
python -m recipes.distill --teacher=runs/large/model --train=train.tsv \
    --texts=unlabelled.txt --test=test.tsv --output=runs/small

Stopped runs resume when started again with the same --output.
"""

from absl import flags

from siatl_keras.runs import DistillConfig, distill

from . import common, config_flags
from .public_data.catalogue import check_fetched

FLAGS = flags.FLAGS
common.define_training_flags()
config_flags.define_flags(DistillConfig)
flags.adopt_module_key_flags(common)
flags.mark_flags_as_required(["teacher", "train"])


def main():
    """Trains, and writes the model and its report into the run's folder."""
    check_fetched(FLAGS.train)
    strategy = common.start_training()
    run = common.open_run(strategy)
    config = config_flags.config_from_flags(DistillConfig)
    common.report(run, distill(config, strategy, common.verbosity())[1])


if __name__ == "__main__":
    common.run(main)
