"""Fine-tunes a classifier on labelled texts, on top of a language model.

python -m recipes.finetune --data=reviews.csv
python -m recipes.finetune --train=train.tsv --test=test.tsv --output=runs/sarcasm
python -m recipes.finetune --flagfile=recipes/flags/scv2.flags --seed=1 \
    --output=runs/scv2-1

python -m recipes.finetune --flagfile=recipes/flags/scv2.flags --method=bow \
    --output=runs/scv2-bow
python -m recipes.finetune --flagfile=recipes/flags/scv2.flags --output=runs/smollm2 \
    --lm=smollm2_135m --lora_rank=8  # fetched by recipes.fetch_model

Stopped runs resume when started again with the same --output.
"""

from pathlib import Path

from absl import flags

from siatl_keras.runs import FinetuneConfig, finetune

from . import common, config_flags

FLAGS = flags.FLAGS
common.define_training_flags("runs/ and the name of the training file")
config_flags.define_flags(FinetuneConfig)
flags.adopt_module_key_flags(common)
flags.DEFINE_alias("data", "train")
flags.mark_flags_as_required(["train"])


def main():
    """Fine-tunes, and writes the model and its report into the run's folder."""
    if FLAGS.output is None:
        FLAGS.output = str(Path("runs") / Path(FLAGS.train).name.partition(".")[0])
    strategy = common.start_training()
    run = common.open_run()
    config = config_flags.config_from_flags(FinetuneConfig)
    common.report(run, finetune(config, strategy, common.verbosity())[1])


if __name__ == "__main__":
    common.run(main)
