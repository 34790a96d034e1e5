r"""Counts the words of text files and writes the most frequent, one word per line.

python -m recipes.build_vocabulary --corpus=tweets.txt.gz --corpus=more.tsv \
    --size=20000 --output=runs/vocabulary
"""

from absl import flags

from siatl_keras.data import FORMATS
from siatl_keras.text import build_vocabulary

from . import common, text_files

FLAGS = flags.FLAGS
flags.DEFINE_multi_string("corpus", None, f"Text file: {', '.join(FORMATS)}, also .gz")
flags.DEFINE_integer("size", 20_000, "Most words, special tokens included.")
flags.DEFINE_integer("min_count", 1, "Words that occur less often are left out.")
common.define_output_flags()
flags.adopt_module_key_flags(common)
flags.adopt_module_key_flags(text_files)
flags.mark_flag_as_required("corpus")


def main():
    """Builds the vocabulary, saves it, and reports on it."""
    run = common.open_run()
    report = build_vocabulary(
        FLAGS.corpus,
        FLAGS.size,
        FLAGS.min_count,
        text_column=FLAGS.text_column,
        encoding=FLAGS.encoding,
    )
    report.save(run.path / "vocabulary.txt")
    metrics = {
        "words": len(report.words),
        "tokens": report.tokens,
        "texts": report.texts,
        "out_of_vocabulary_rate": report.out_of_vocabulary_rate,
        "lines_per_second": report.texts_per_second,
        "peak_memory_mb": report.peak_memory_mb,
    }
    run.write_metrics(metrics)
    print(f"{run.path / 'vocabulary.txt'}: {metrics['words']} words")
    print(f"out-of-vocabulary rate {report.out_of_vocabulary_rate:.2%}")
    print(
        f"{report.texts:,} texts, {report.texts_per_second:,.0f} a second, "
        f"peak memory {report.peak_memory_mb:,.0f} MB"
    )


if __name__ == "__main__":
    common.run(main)
