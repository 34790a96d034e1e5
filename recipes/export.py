"""Exports a fine-tuned classifier: for TF Serving, LiteRT, ONNX or Keras.

python -m recipes.export --model=runs/sarcasm/model --output=saved_models/sarcasm
python -m recipes.export --model=runs/sarcasm/model --format=litert --output=served
"""

from pathlib import Path

from absl import flags

from siatl_keras.export import (
    export_keras,
    export_litert,
    export_onnx,
    export_saved_model,
)
from siatl_keras.export.litert import WEIGHTS

from . import common, saved_classifier

FORMATS = {
    "saved_model": export_saved_model,
    "litert": export_litert,
    "onnx": export_onnx,
    "keras": export_keras,
}

FLAGS = flags.FLAGS
saved_classifier.define_flags()
flags.DEFINE_string(
    "output", None, "Folder of the exported model; gets a new version.", required=True
)
flags.DEFINE_enum(
    "format",
    "saved_model",
    list(FORMATS),
    "saved_model, which TF Serving takes; litert or onnx, tokens in, with a tokenizer "
    "and Python that reads it beside the model; keras, a file for this package.",
)
flags.DEFINE_enum(
    "weights",
    None,
    list(WEIGHTS),
    "How --format=litert keeps weights: int8 if not given.",
)
flags.DEFINE_integer(
    "top_k",
    None,
    "Labels that the signature top_k of --format=saved_model returns: 5 if not given.",
    lower_bound=1,
)
flags.register_multi_flags_validator(
    ["format", "weights"],
    lambda given: given["weights"] is None or given["format"] == "litert",
    message="--weights are for --format=litert",
)
flags.register_multi_flags_validator(
    ["format", "top_k"],
    lambda given: given["top_k"] is None or given["format"] == "saved_model",
    message="--top_k is for --format=saved_model",
)
flags.adopt_module_key_flags(saved_classifier)


def main():
    """Exports into the next free version, the model's card with it."""
    card = Path(FLAGS.model) / "README.md"
    text = card.read_text("utf-8") if card.is_file() else ""
    given = {"weights": FLAGS.weights, "top_k": FLAGS.top_k}
    options = {name: value for name, value in given.items() if value is not None}
    export = FORMATS[FLAGS.format]
    print(export(saved_classifier.load(), FLAGS.output, model_card=text, **options))


if __name__ == "__main__":
    common.run(main)
