"""`with_defaults`: what a run does where nothing was said.

One rule for all data, by what is known before the first step: the kind of the language
model and the number of tokens. How it was found is in `docs/results.md`.
"""

from __future__ import annotations

from dataclasses import replace

from siatl_keras.data import Examples
from siatl_keras.models import LSTMBackbone, backbone_class
from siatl_keras.plans.methods import METHOD_DEFAULTS, PAPER, filled
from siatl_keras.presets.named_models import AUTO
from siatl_keras.runs.finetune_config import (
    BASELINES,
    SEQUENCE_LENGTH,
    FinetuneConfig,
)
from siatl_keras.tasks import SingleLabel

# Tokens that a transformer's blocks learn on, counted once per epoch, before more
# epochs cost minutes and gain nothing.
TOKENS = 150_000
MOST_EPOCHS = 3
CHARACTERS_PER_TOKEN = 4.5
# Those of a paragraph, which a transformer reads.
PARAGRAPH = 256


def with_defaults(
    config: FinetuneConfig, train: Examples | None = None
) -> FinetuneConfig:
    """Fills in the method and its settings.

    Args:
        config: what was asked for, its language model chosen.
        train: texts that the model learns from; `None` if they are not known yet.
    """
    is_lstm = issubclass(backbone_class(config.lm), LSTMBackbone)
    if config.word_scores is None:
        config = replace(config, word_scores=_have_words_a_say(config))
    if config.method == AUTO:
        config = replace(config, method="siatl" if is_lstm else "lower-half")
    length = config.sequence_length or (SEQUENCE_LENGTH if is_lstm else PARAGRAPH)
    config = replace(config, sequence_length=length)
    if config.method == "lower-half" and config.epochs is None and train:
        config = replace(config, epochs=_epochs(train, length))
    if config.method in BASELINES:
        return config
    return filled(config, PAPER | METHOD_DEFAULTS.get(config.method, {}))


def _have_words_a_say(config: FinetuneConfig) -> bool:
    """Says yes where it has been measured to help: of one class for each text."""
    is_plain = config.method == AUTO and config.task == SingleLabel.kind
    return is_plain and not config.pair_column and not config.class_weight


def _epochs(train: Examples, sequence_length: int) -> int:
    """Counts epochs: the head's own, and those in which the blocks learn too."""
    tokens = sum(
        min(len("".join(text)) / CHARACTERS_PER_TOKEN + 1, sequence_length)
        for text in train.texts
    )
    return 1 + max(1, min(MOST_EPOCHS - 1, round(TOKENS / tokens)))
