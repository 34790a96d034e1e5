"""Exports a fine-tuned classifier as a SavedModel for TF Serving: strings in.

python -m recipes.export --model=runs/sarcasm/model --output=saved_models/sarcasm
"""

from pathlib import Path

from absl import flags

from siatl_keras.export import export_saved_model

from . import common, saved_classifier

FLAGS = flags.FLAGS
saved_classifier.define_flags()
flags.DEFINE_string(
    "output", None, "Folder of the served model; gets a new version.", required=True
)
flags.adopt_module_key_flags(saved_classifier)


def main():
    """Exports into the next free version, the model's card with it."""
    card = Path(FLAGS.model) / "README.md"
    text = card.read_text("utf-8") if card.is_file() else ""
    print(export_saved_model(saved_classifier.load(), FLAGS.output, text))


if __name__ == "__main__":
    common.run(main)
