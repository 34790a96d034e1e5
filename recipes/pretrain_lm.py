"""Trains a word-level LSTM language model on text files and saves it as a preset.

python -m recipes.pretrain_lm --flagfile=recipes/flags/tweets_lstm_small_en.flags

Stopped runs resume when started again with the same --output.
"""

from absl import flags

from siatl_keras.runs import PretrainConfig, pretrain_language_model

from . import common, config_flags

FLAGS = flags.FLAGS
common.define_training_flags()
config_flags.define_flags(PretrainConfig)
flags.adopt_module_key_flags(common)
flags.mark_flags_as_required(["train", "validation", "vocabulary", "preset"])


def main():
    """Trains, and writes the preset and the run's folder."""
    strategy = common.start_training()
    run = common.open_run(strategy)
    config = config_flags.config_from_flags(PretrainConfig)
    metrics = pretrain_language_model(
        config, strategy, FLAGS.overwrite, common.verbosity()
    )
    if run is not None:
        print(f"validation perplexity {metrics['validation_perplexity']:.2f}")
        print(f"preset: {FLAGS.preset}")


if __name__ == "__main__":
    common.run(main)
