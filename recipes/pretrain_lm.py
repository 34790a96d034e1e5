"""Trains a word-level LSTM language model on text files and saves it as a preset.

python -m recipes.pretrain_lm --flagfile=recipes/flags/tweets_lstm_small_en.flags

Stopped runs go on when started again with the same --output.
"""

from absl import flags

from recipes import common
from siatl_keras.workflows import pretrain_language_model

FLAGS = flags.FLAGS
flags.DEFINE_multi_string("train", None, "Text file to train on. May be repeated.")
flags.DEFINE_multi_string("validation", None, "Text file for the perplexity.")
flags.DEFINE_string("vocabulary", None, "File that recipes.build_vocabulary wrote.")
flags.DEFINE_string("preset", None, "Folder of the preset to be made.")
flags.DEFINE_integer("embedding_dim", 256, "Size of the token embedding.")
flags.DEFINE_integer("hidden_dim", 512, "Units of each LSTM.")
flags.DEFINE_integer("num_layers", 2, "Number of LSTMs.")
flags.DEFINE_float("embedding_dropout", 0.0, "Share of words dropped.")
flags.DEFINE_float("input_dropout", 0.1, "Locked dropout on the embeddings.")
flags.DEFINE_float("hidden_dropout", 0.1, "Locked dropout between LSTMs.")
flags.DEFINE_float("output_dropout", 0.1, "Locked dropout on the last LSTM's output.")
flags.DEFINE_float("recurrent_weight_dropout", 0.0, "Weight drop.")
flags.DEFINE_integer("sequence_length", 64, "Most tokens of a text, or of a window.")
flags.DEFINE_bool("stream", False, "Train on windows over all texts joined.")
flags.DEFINE_integer("batch_size", 96, "Texts (or windows) a step.")
flags.DEFINE_integer("steps", 5000, "Optimizer steps.")
flags.DEFINE_integer("steps_per_epoch", 250, "Steps between validations and backups.")
flags.DEFINE_float("learning_rate", 2e-3, "Adam's highest learning rate.")
flags.DEFINE_integer(
    "sampled_words", None, "Words that estimate the softmax in training; all if unset."
)
flags.DEFINE_string("weights_dtype", "float16", "Dtype of the saved weights.")
common.define_training_flags()
flags.adopt_module_key_flags(common)
flags.mark_flags_as_required(["train", "validation", "vocabulary", "preset"])

BACKBONE_FLAGS = (
    "embedding_dim",
    "hidden_dim",
    "num_layers",
    "embedding_dropout",
    "input_dropout",
    "hidden_dropout",
    "output_dropout",
    "recurrent_weight_dropout",
)


def main():
    """Trains, and writes the preset and the run's folder."""
    strategy = common.start_training()
    run = common.open_run()
    metrics = pretrain_language_model(
        FLAGS.train,
        FLAGS.validation,
        FLAGS.vocabulary,
        FLAGS.preset,
        str(run.path),
        backbone={name: FLAGS[name].value for name in BACKBONE_FLAGS},
        sequence_length=FLAGS.sequence_length,
        stream=FLAGS.stream,
        batch_size=FLAGS.batch_size,
        steps=FLAGS.steps,
        steps_per_epoch=FLAGS.steps_per_epoch,
        learning_rate=FLAGS.learning_rate,
        sampled_words=FLAGS.sampled_words,
        seed=FLAGS.seed,
        weights_dtype=FLAGS.weights_dtype,
        strategy=strategy,
        overwrite=FLAGS.overwrite,
    )
    print(f"validation perplexity {metrics['validation_perplexity']:.2f}")
    print(f"preset: {FLAGS.preset}")


if __name__ == "__main__":
    common.run(main)
