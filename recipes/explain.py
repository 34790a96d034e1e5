"""Shows what fine-tuned classifiers look at in texts, side by side.

python -m recipes.explain --models=runs/siatl/model,runs/p-lm/model \
    --texts="so glad my flight is delayed again" --output=runs/attention
python -m recipes.explain --models=runs/siatl/model --texts=texts.tsv \
    --output=runs/attention

--texts is a file (.txt, .tsv, .csv, .jsonl, also .gz) or the text itself; give it more
than once for several. Writes attention.html and, of the first texts, attention.png.
"""

from pathlib import Path

from absl import flags

from recipes import common
from siatl_keras.data import read_texts
from siatl_keras.workflows import explain

FLAGS = flags.FLAGS
flags.DEFINE_list("models", None, "Presets of SiATLClassifiers.", required=True)
flags.DEFINE_multi_string("texts", None, "A file, or a text.", required=True)
flags.DEFINE_string("text_column", "text", "Column (or JSON key) with the text.")
common.define_output_flags()
flags.adopt_module_key_flags(common)


def main():
    """Reads the texts and explains them."""
    texts = []
    for value in FLAGS.texts:
        # A single word with such an ending is a file whose name is mistyped.
        is_file = Path(value).suffix in ENDINGS and len(value.split()) == 1
        texts += read_texts(value, FLAGS.text_column) if is_file else [value]
    explain(FLAGS.models, texts, FLAGS.output, FLAGS.overwrite)
    print(Path(FLAGS.output) / "attention.html")
    print(Path(FLAGS.output) / "attention.png")


ENDINGS = (".txt", ".tsv", ".csv", ".jsonl", ".gz")

if __name__ == "__main__":
    common.run(main, text_flags=["texts"])
