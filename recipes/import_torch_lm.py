r"""Turns a language model of the authors' PyTorch code into a preset, or back.

python -m recipes.import_torch_lm --checkpoint=lm20m_70K.pt \
    --output=saved_models/tweets_lstm_20m
python -m recipes.import_torch_lm --preset=saved_models/tweets_lstm_small_en \
    --checkpoint=mine.pt --to_torch

The first needs no PyTorch, and runs nothing that is in the file. The authors' own
language model, trained on 20 million tweets, is linked to in the README of their
repository, https://github.com/alexandra-chron/siatl ("Use the pretrained Language
Model"). It was not at hand when this was written: this was checked on checkpoints that
their code wrote at a small size, in PyTorch's old and zip formats.

What the second writes is for PyTorch 1.6 or later; from 2.6 on, pass
`weights_only=False` to the `torch.load` in the authors' code.
"""

from absl import flags

from siatl_keras.importers.torch import export_language_model, import_language_model

from . import common

FLAGS = flags.FLAGS
flags.DEFINE_string("checkpoint", None, "The .pt file; made with --to_torch.")
flags.DEFINE_string("output", None, "Folder of the preset to be made.")
flags.DEFINE_string("preset", None, "With --to_torch: preset of the language model.")
flags.DEFINE_bool("to_torch", False, "Write a checkpoint instead of reading one.")
flags.DEFINE_string("weights_dtype", "float32", "Dtype of the saved weights.")
flags.DEFINE_bool("overwrite", False, "Replace what exists.")
flags.mark_flag_as_required("checkpoint")


@flags.multi_flags_validator(
    ["to_torch", "preset", "output"],
    "needs --output, or --preset with --to_torch, and not both.",
)
def _has_one_preset(values):
    given, other = ("preset", "output") if values["to_torch"] else ("output", "preset")
    return bool(values[given]) and not values[other]


def main():
    """Imports or exports, and says what came of it."""
    if FLAGS.to_torch:
        export_language_model(FLAGS.preset, FLAGS.checkpoint, overwrite=FLAGS.overwrite)
        print(FLAGS.checkpoint)
        return
    figures = import_language_model(
        FLAGS.checkpoint,
        FLAGS.output,
        weights_dtype=FLAGS.weights_dtype,
        overwrite=FLAGS.overwrite,
    )
    print(f"{FLAGS.output}: " + ", ".join(f"{k} {v}" for k, v in figures.items()))


if __name__ == "__main__":
    common.run(main)
