r"""Shows what fine-tuned classifiers look at in texts, side by side.

python -m recipes.explain --models=runs/siatl/model,runs/p-lm/model \
    --texts="so glad my flight is delayed again" --output=runs/attention
python -m recipes.explain --models=runs/siatl/model --texts=texts.tsv \
    --output=runs/attention

python -m recipes.explain --models=runs/siatl/model --texts=test.tsv \
    --label_column=label --wrong_only --output=runs/mistakes

--texts is a file (.txt, .tsv, .csv, .jsonl, also .gz, .xlsx, .parquet) or the text
itself; give it more than once for several. With --label_column the files' true labels
are shown, with --wrong_only texts that a model answers otherwise. With --pair_column,
files hold pairs, and a text itself is two, with a tab between them. Writes
attention.html and, of the first texts, attention.png.
"""

from pathlib import Path

from absl import flags

from siatl_keras.data import FORMATS, read_examples, read_texts
from siatl_keras.runs import explain

from . import common, text_files

FLAGS = flags.FLAGS
flags.DEFINE_list("models", None, "Presets of SiATLClassifiers.", required=True)
flags.DEFINE_multi_string("texts", None, "A file, or a text.", required=True)
flags.DEFINE_string("pair_column", "", "Column with the second text of each pair.")
flags.DEFINE_string(
    "label_column", "", "Column (or JSON key) with the true label, to be shown."
)
flags.DEFINE_bool(
    "wrong_only", False, "Show texts alone that a model answers otherwise than is true."
)
common.define_output_flags()
flags.adopt_module_key_flags(common)
flags.adopt_module_key_flags(text_files)


def main():
    """Reads the texts and explains them."""
    texts, truths = [], []
    for value in FLAGS.texts:
        # A single word with such an ending is a file whose name is mistyped.
        is_file = Path(value).suffix in ENDINGS and len(value.split()) == 1
        found, labels = _read(value) if is_file else ([_literal(value)], [""])
        texts += found
        truths += labels
    explain(
        FLAGS.models, texts, FLAGS.output, FLAGS.overwrite, truths, FLAGS.wrong_only
    )
    print(Path(FLAGS.output) / "attention.html")
    print(Path(FLAGS.output) / "attention.png")


def _read(path):
    """Reads a file's texts, and their labels if they have a column."""
    how = {"pair_column": FLAGS.pair_column, "encoding": FLAGS.encoding}
    if FLAGS.label_column:
        examples = read_examples(
            path, FLAGS.text_column, FLAGS.label_column, empty_labels=True, **how
        )
        return examples.texts, examples.labels
    texts = list(read_texts(path, FLAGS.text_column, **how))
    return texts, [""] * len(texts)


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
