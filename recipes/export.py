"""Exports a fine-tuned classifier as a SavedModel for TF Serving: strings in.

python -m recipes.export --model=runs/sarcasm/model --output=saved_models/sarcasm
"""

from absl import flags

from recipes import common
from siatl_keras.export import export_saved_model
from siatl_keras.models import SiATLClassifier

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "Preset of a SiATLClassifier.", required=True)
flags.DEFINE_string(
    "output", None, "Folder of the served model; gets a new version.", required=True
)


def main():
    """Exports into the next free version."""
    print(export_saved_model(SiATLClassifier.from_preset(FLAGS.model), FLAGS.output))


if __name__ == "__main__":
    common.run(main)
