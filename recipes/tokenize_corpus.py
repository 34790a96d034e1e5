r"""Tokenizes text files once, for recipes.pretrain_lm to train on in every pass.

python -m recipes.tokenize_corpus --corpus=tweets.txt.gz \
    --vocabulary=runs/vocabulary/vocabulary.txt --output=runs/tokens
python -m recipes.pretrain_lm --train=runs/tokens --validation=validation.txt \
    --vocabulary=runs/vocabulary/vocabulary.txt --preset=runs/lm --output=runs/lm_run

Stopped runs resume when started again with the same --output.
"""

from absl import flags

from siatl_keras.runs import TokenizeConfig, tokenize_corpus

from . import common, config_flags

FLAGS = flags.FLAGS
common.define_output_flags()
config_flags.define_flags(TokenizeConfig)
flags.adopt_module_key_flags(common)
flags.mark_flags_as_required(["corpus", "vocabulary"])


def main():
    """Writes the tokens, and reports on them."""
    common.open_run()
    config = config_flags.config_from_flags(TokenizeConfig)
    metrics = tokenize_corpus(config, FLAGS.overwrite)
    print(
        f"{FLAGS.output}: {metrics['texts']:,} texts, {metrics['tokens']:,} tokens, "
        f"{metrics['bytes'] / 1e6:,.1f} MB in {metrics['shards']} shards"
    )
    print(
        f"{metrics['seconds']:,.0f} seconds, peak memory "
        f"{metrics['peak_memory_mb']:,.0f} MB"
    )


if __name__ == "__main__":
    common.run(main)
