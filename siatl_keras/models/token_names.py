"""`token_names`: a tokenizer's vocabulary in the order of its ids.

`get_vocabulary` of a KerasHub tokenizer may have any order, and ids may be missing.
"""

from __future__ import annotations

from typing import Any


def token_names(tokenizer: Any) -> list[str]:
    """Lists the tokens by id.

    Args:
        tokenizer: a `keras_hub.tokenizers.Tokenizer`.

    Returns:
        one str an id; "" where the vocabulary has a gap.
    """
    tokens = list(tokenizer.get_vocabulary())
    ids = [int(tokenizer.token_to_id(token)) for token in tokens]
    names = [""] * (max(ids, default=-1) + 1)
    for token_id, token in zip(ids, tokens, strict=True):
        names[token_id] = token
    return names


def check_tokenizer(tokenizer: Any) -> None:
    """Checks that texts can be tokenized.

    Args:
        tokenizer: a `keras_hub.tokenizers.Tokenizer`.

    Raises:
        ValueError: if it is something else.
    """
    if not callable(getattr(tokenizer, "tokenize", None)):
        raise ValueError(
            "`tokenizer` must be a KerasHub tokenizer, such as `WordTokenizer`. "
            f"Received: tokenizer={tokenizer!r:.80}."
        )


def has_vocabulary(tokenizer: Any) -> bool:
    """Tells whether a tokenizer has its vocabulary; one that is loaded gets it later.

    Args:
        tokenizer: a `keras_hub.tokenizers.Tokenizer`.
    """
    try:
        return tokenizer.vocabulary_size() > 0
    except (ValueError, AttributeError):
        return False
