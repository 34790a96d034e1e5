"""Perplexity of a word-level language model on files of texts.

python -m benchmarks.perplexity --lm=tweets_lstm_small_en --texts=validation.txt
"""

from absl import app, flags

from siatl_keras.data import lm_dataset
from siatl_keras.models import LSTMCausalLM

FLAGS = flags.FLAGS
flags.DEFINE_string("lm", "tweets_lstm_small_en", "Preset of the language model.")
flags.DEFINE_multi_string("texts", None, "Text file. May be repeated.", required=True)


def main(_):
    """Prints a line for each file."""
    model = LSTMCausalLM.from_preset(FLAGS.lm)
    for path in FLAGS.texts:
        dataset = lm_dataset([path], model.preprocessor, 128)
        found = model.evaluate(dataset, return_dict=True, verbose=0)
        print(f"{path}: perplexity {found['perplexity']:.1f}")


if __name__ == "__main__":
    app.run(main)
