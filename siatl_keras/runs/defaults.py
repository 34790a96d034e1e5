"""`with_defaults`: what a run does where nothing was said.

One rule for all data, by what is known before the first step: the kind of the language
model and the number of tokens. How it was found is in `docs/results.md`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from siatl_keras.data import Examples
from siatl_keras.models import LSTMBackbone, backbone_class, vocabulary_size
from siatl_keras.plans.methods import METHOD_DEFAULTS, PAPER, filled
from siatl_keras.presets.named_models import AUTO
from siatl_keras.runs.finetune_config import (
    BASELINES,
    SEQUENCE_LENGTH,
    FinetuneConfig,
)

# Tokens that a transformer's blocks learn on, counted once per epoch, before more
# epochs cost minutes and gain nothing.
TOKENS = 150_000
MOST_EPOCHS = 3
# Those that an LSTM learns on, in its slow steps; the last layer begins in epoch 5.
LSTM_TOKENS = 2_500_000
LSTM_EPOCHS = (8, 30)
CHARACTERS_PER_TOKEN = 4.5
# Those of a paragraph, which is read where no method is named.
PARAGRAPH = 256
# Enough for the loss of a language model to be estimated on, in half of the time.
SAMPLED_WORDS = 2048


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
        plain = config.method == AUTO and not config.class_weight
        config = replace(config, word_scores=plain)
    if config.word_scores and not config.long_texts and not config.pair_column:
        config = replace(config, long_texts="words")
    if config.method == AUTO and is_lstm:
        config = _of_lstm(config, train)
    elif config.method == AUTO:
        config = replace(config, method="lower-half")
    length = config.sequence_length or (SEQUENCE_LENGTH if is_lstm else PARAGRAPH)
    config = replace(config, sequence_length=length)
    if config.method == "lower-half" and config.epochs is None and train:
        learned = round(TOKENS / _tokens(train, length))
        epochs = 1 + max(1, min(MOST_EPOCHS - 1, learned))  # The head's own is first.
        config = replace(config, epochs=epochs)
    if config.method in BASELINES:
        return config
    return filled(config, PAPER | METHOD_DEFAULTS.get(config.method, {}))


def _of_lstm(config: FinetuneConfig, train: Examples | None) -> FinetuneConfig:
    """Fills in what an LSTM learns with: the paper's method, in half of the time."""
    length = config.sequence_length or PARAGRAPH
    defaults: dict[str, Any] = {"sequence_length": length}
    if vocabulary_size(config.lm) > SAMPLED_WORDS:
        defaults["sampled_words"] = SAMPLED_WORDS
    if train:
        fewest, most = LSTM_EPOCHS
        learned = round(LSTM_TOKENS / _tokens(train, length))
        defaults["epochs"] = max(fewest, min(most, learned))
    return filled(replace(config, method="siatl"), defaults)


def _tokens(train: Examples, sequence_length: int) -> float:
    """Estimates how many tokens are read in an epoch."""
    return sum(
        min(len("".join(text)) / CHARACTERS_PER_TOKEN + 1, sequence_length)
        for text in train.texts
    )
