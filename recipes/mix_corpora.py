r"""Mixes text files into one to train a language model on, long texts in pieces.

python -m recipes.mix_corpora --corpus=tweets.txt.gz --corpus=reviews.txt.gz \
    --output=runs/corpus
"""

from absl import flags

from siatl_keras.data import FORMATS
from siatl_keras.text import mix_corpora

from . import common, text_files

FLAGS = flags.FLAGS
flags.DEFINE_multi_string("corpus", None, f"Text file: {', '.join(FORMATS)}, also .gz")
flags.DEFINE_integer("most_words", 56, "Words of a piece: of whole sentences.")
flags.DEFINE_integer("seed", 42, "Of the shuffling.")
common.define_output_flags()
flags.adopt_module_key_flags(common)
flags.adopt_module_key_flags(text_files)
flags.mark_flag_as_required("corpus")


def main():
    """Writes the mixed texts, one a line."""
    run = common.open_run()
    path = run.path / "texts.txt.gz"
    pieces = mix_corpora(
        FLAGS.corpus,
        path,
        FLAGS.most_words,
        FLAGS.seed,
        FLAGS.text_column,
        FLAGS.encoding,
    )
    run.write_metrics({"pieces": pieces})
    print(f"{path}: {pieces:,} texts")


if __name__ == "__main__":
    common.run(main)
