"""`check_preprocessor`: what a preprocessor makes must fit into the backbone."""

from __future__ import annotations

from typing import Any

import keras_hub

from siatl_keras.compat import layer_parts


def check_preprocessor(backbone: Any, preprocessor: Any) -> None:
    """Checks the length of texts and the number of tokens.

    Args:
        backbone: a causal language model's backbone.
        preprocessor: the `SiATLPreprocessor` of its texts, or `None`.

    Raises:
        ValueError: if it is no such preprocessor, texts may be longer than the backbone
            can read, or the tokenizer has tokens that the backbone does not know.
    """
    if preprocessor is None:
        return
    if not all(hasattr(preprocessor, name) for name in ("tokenize_and_cut", "pack")):
        raise ValueError(
            "`preprocessor` must be a `SiATLPreprocessor`, or None. Received: "
            f"{preprocessor!r:.80}. Build one: SiATLPreprocessor(tokenizer)."
        )
    name = type(backbone).__name__
    longest = longest_text(backbone)
    if longest is not None and preprocessor.sequence_length > longest:
        raise ValueError(
            f"`preprocessor` keeps {preprocessor.sequence_length} tokens of a text "
            f"(`sequence_length`), and {name} reads {longest} at most. Pass a "
            f"`sequence_length` of {longest} or less."
        )
    try:
        words = preprocessor.tokenizer.vocabulary_size()
    except ValueError:  # One that is being loaded gets its vocabulary later.
        return
    known = backbone.token_embedding.input_dim
    if words > known:
        raise ValueError(
            f"`preprocessor` has a tokenizer of {words} tokens, and {name} knows "
            f"{known}. Use the tokenizer that the language model was trained with."
        )


def longest_text(backbone: Any) -> int | None:
    """Finds how many tokens a backbone with position embeddings reads at most.

    Args:
        backbone: a backbone.

    Returns:
        int, or `None` where there is no limit, as with rotary embeddings.
    """
    return min(
        (
            layer.sequence_length
            for layer in layer_parts.flatten_layers(backbone)
            if isinstance(layer, keras_hub.layers.PositionEmbedding)
        ),
        default=None,
    )
