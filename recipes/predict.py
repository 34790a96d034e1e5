"""Classifies texts from a file or from the standard input, as they come.

python -m recipes.predict --model=runs/sarcasm/model --input=texts.tsv > labels.tsv
echo "so glad my flight is delayed" | python -m recipes.predict --model=…

A model of pairs reads two texts with a tab between them from each line of the standard
input, and the columns --text_column and --pair_column of a file.

Output: text (of pairs, text and text_pair), label (or labels with commas between) and a
probability for each class, or a value, separated by tabs; or JSON. With --abstain_below
the label is empty (in JSON, null) where its probability is lower. Every line of the
standard input or of a .txt file gets a line, blank ones too, as soon as the input
pauses. Where a line is not UTF-8, a message names it, and the answer is to what can be
read of it. Input and output are UTF-8, whatever the locale.
"""

import functools
import sys

from absl import flags

from siatl_keras.data import (
    FORMATS,
    arriving_batches,
    in_batches,
    pairs_of_lines,
    read_texts,
)
from siatl_keras.runs import (
    check_pair_column,
    format_header,
    format_prediction,
    predict_stream,
)

from . import common, saved_classifier, text_files

FLAGS = flags.FLAGS
saved_classifier.define_flags()
flags.DEFINE_string(
    "input",
    "-",
    f"Texts: {', '.join(FORMATS)}, also .gz; - is the standard input, a text on each "
    "line.",
)
flags.DEFINE_string("pair_column", "", "Column with the second text of each pair.")
flags.DEFINE_bool("json", False, "Write a JSON object on each line.")
flags.DEFINE_integer("batch_size", 256, "Texts classified at a time.", lower_bound=1)
flags.adopt_module_key_flags(saved_classifier)
flags.adopt_module_key_flags(text_files)


def main():
    """Predicts, and writes a line for each text."""
    model = saved_classifier.load()
    sys.stdout.reconfigure(encoding="utf-8")
    warn = functools.partial(print, file=sys.stderr, flush=True)
    if FLAGS.input == "-":
        if FLAGS.encoding != "utf-8":
            raise ValueError(
                "--encoding is that of a file. The standard input must be UTF-8: "
                f"convert it with `iconv -f {FLAGS.encoding} -t utf-8`."
            )
        batches = arriving_batches(0, FLAGS.batch_size, warn)
        batches = pairs_of_lines(batches) if model.takes_pairs else batches
    else:
        check_pair_column(model, FLAGS.pair_column, FLAGS.model)
        texts = read_texts(
            *(FLAGS.input, FLAGS.text_column),
            blank_lines=True,
            on_bad_line=warn,
            pair_column=FLAGS.pair_column,
            encoding=FLAGS.encoding,
        )
        batches = in_batches(texts, FLAGS.batch_size)
    if not FLAGS.json:
        print(format_header(model.task, model.takes_pairs), flush=True)
    for predictions in predict_stream(model, batches):
        lines = (format_prediction(one, FLAGS.json) for one in predictions)
        print("\n".join(lines), flush=True)


if __name__ == "__main__":
    common.run(main)
