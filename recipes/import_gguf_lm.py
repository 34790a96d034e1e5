r"""Turns a GGUF file's language model into a preset, and tries it.

pip install -e ".[gguf]"
python -m recipes.import_gguf_lm --checkpoint=model.gguf --output=runs/presets/mine \
    --texts=data/imdb_small/validation.tsv.gz

The preset is for KerasHub as well as for recipes.finetune --lm. Llama, Qwen 2, Qwen 3
and Gemma 3 (for texts) can be imported; recipes.fetch_model gets two by their names.
"""

import itertools

import keras_hub
from absl import flags

from siatl_keras.data import read_texts
from siatl_keras.importers.gguf_import import import_gguf
from siatl_keras.models import SiATLPreprocessor

from . import common

FLAGS = flags.FLAGS
flags.DEFINE_string("checkpoint", None, "The .gguf file.", required=True)
flags.DEFINE_string("output", None, "Folder of the preset to be made.", required=True)
flags.DEFINE_string("prompt", "The capital of France is", "To be continued.")
flags.DEFINE_string("texts", None, "Texts whose perplexity is measured, if given.")
flags.DEFINE_integer("most_texts", 200, "Of these, from the top.", lower_bound=1)
flags.DEFINE_bool("overwrite", False, "Replace what exists.")


def main():
    """Imports, generates, and measures the perplexity."""
    model = import_gguf(FLAGS.checkpoint, FLAGS.output, overwrite=FLAGS.overwrite)
    print(f"{FLAGS.output}: {model.backbone.count_params() / 1e6:.1f} million weights")
    model.compile(
        sampler="greedy",
        weighted_metrics=[keras_hub.metrics.Perplexity(from_logits=True)],
        jit_compile=False,
    )
    length = len(model.preprocessor.tokenizer(FLAGS.prompt)) + 20
    print(model.generate(FLAGS.prompt, max_length=length))
    if FLAGS.texts:
        texts = list(itertools.islice(read_texts(FLAGS.texts), FLAGS.most_texts))
        print(f"perplexity of {len(texts)} texts: {perplexity(model, texts):.1f}")


def perplexity(model, texts):
    """Measures it on the first 128 tokens of each text."""
    preprocessor = SiATLPreprocessor(
        model.preprocessor.tokenizer,
        sequence_length=128,
        add_start_token=model.preprocessor.add_start_token,
        add_end_token=False,
    )
    x, y, weights = preprocessor(texts, [0] * len(texts))
    model.preprocessor = None  # Its own wants prompts and answers of some models.
    scores = model.evaluate(
        x, y["lm"], sample_weight=weights["lm"], batch_size=8, return_dict=True
    )
    return scores["perplexity"]


if __name__ == "__main__":
    common.run(main, text_flags=["prompt"])
