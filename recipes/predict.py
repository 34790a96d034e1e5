"""Classifies texts from a file or from the standard input, as they come.

python -m recipes.predict --model=runs/sarcasm/model --input=texts.tsv > labels.tsv
echo "so glad my flight is delayed" | python -m recipes.predict --model=…

Output: text, label and a probability for each class, separated by tabs; or JSON.
"""

import sys

from absl import flags

from recipes import common
from siatl_keras.data import read_texts
from siatl_keras.models import SiATLClassifier
from siatl_keras.workflows import format_prediction, predict_stream

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "Preset of a SiATLClassifier.", required=True)
flags.DEFINE_string(
    "input",
    "-",
    "Texts: .txt, .tsv, .csv, .jsonl, also .gz; - is "
    "the standard input, a text a line.",
)
flags.DEFINE_string("text_column", "text", "Column (or JSON key) with the text.")
flags.DEFINE_bool("json", False, "Write a JSON object a line.")
flags.DEFINE_integer("batch_size", 256, "Texts classified at a time.")


def main():
    """Predicts, a line a text."""
    model = SiATLClassifier.from_preset(FLAGS.model)
    if FLAGS.input == "-":
        texts = (line.rstrip("\r\n") for line in sys.stdin)
    else:
        texts = read_texts(FLAGS.input, FLAGS.text_column)
    if not FLAGS.json:
        print("\t".join(["text", "label", *model.label_names]))
    for prediction in predict_stream(model, texts, FLAGS.batch_size):
        print(format_prediction(prediction, FLAGS.json), flush=True)


if __name__ == "__main__":
    common.run(main)
