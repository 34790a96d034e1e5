"""`embedding_table`: the vectors that a language model has for its tokens."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def embedding_table(backbone: Any) -> np.ndarray:
    """Looks up all tokens.

    Args:
        backbone: a backbone with a `token_embedding`.

    Returns:
        float32 `[vocabulary, embedding]`.
    """
    embedding = backbone.token_embedding
    # Called, since what is quantized, or has adapters, keeps other tables.
    rows = embedding(np.arange(embedding.input_dim, dtype="int32"))
    return keras.ops.convert_to_numpy(keras.ops.cast(rows, "float32"))
