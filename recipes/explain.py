"""Shows what fine-tuned classifiers look at in texts, side by side.

python -m recipes.explain --models=runs/siatl/model,runs/p-lm/model \
    --texts="so glad my flight is delayed again" --output=runs/attention
python -m recipes.explain --models=runs/siatl/model --texts=texts.tsv \
    --output=runs/attention

--texts is a file (.txt, .tsv, .csv, .jsonl, also .gz, .xlsx, .parquet) or the text
itself; give it more than once for several. With --pair_column, files hold pairs, and a
text itself is two, with a tab between them. Writes attention.html and, of the first
texts, attention.png.
"""

from pathlib import Path

from absl import flags

from siatl_keras.data import FORMATS, read_texts
from siatl_keras.runs import explain

from . import common, text_files

FLAGS = flags.FLAGS
flags.DEFINE_list("models", None, "Presets of SiATLClassifiers.", required=True)
flags.DEFINE_multi_string("texts", None, "A file, or a text.", required=True)
flags.DEFINE_string("pair_column", "", "Column with the second text of each pair.")
common.define_output_flags()
flags.adopt_module_key_flags(common)
flags.adopt_module_key_flags(text_files)


def main():
    """Reads the texts and explains them."""
    texts = []
    for value in FLAGS.texts:
        # A single word with such an ending is a file whose name is mistyped.
        is_file = Path(value).suffix in ENDINGS and len(value.split()) == 1
        if is_file:
            texts += read_texts(
                value,
                FLAGS.text_column,
                pair_column=FLAGS.pair_column,
                encoding=FLAGS.encoding,
            )
        else:
            texts.append(_literal(value))
    explain(FLAGS.models, texts, FLAGS.output, FLAGS.overwrite)
    print(Path(FLAGS.output) / "attention.html")
    print(Path(FLAGS.output) / "attention.png")


def _literal(value):
    """Takes a text that is given itself; with --pair_column, two."""
    if not FLAGS.pair_column:
        return value
    if value.count("\t") != 1:
        raise ValueError(
            "--texts: with --pair_column, a text must be two with a tab between them. "
            f"Received: {value!r:.60}."
        )
    return tuple(value.split("\t"))


ENDINGS = (*FORMATS, ".gz")

if __name__ == "__main__":
    common.run(main, text_flags=["texts"])
