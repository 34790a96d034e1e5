"""`average_embeddings`: texts as the means of their words' embeddings.

Source: the neural bag-of-words baseline, as in Chronopoulou et al. 2019, table 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from siatl_keras.data.untuned import untuned
from siatl_keras.models.embedding_table import embedding_table

TEXTS_AT_ONCE = 1024


def average_embeddings(
    backbone: Any, tokenizer: Any, texts: Sequence[str], sequence_length: int
) -> np.ndarray:
    """Averages the embeddings of each text's tokens; no start, end or padding.

    Args:
        backbone: a backbone with a `token_embedding`.
        tokenizer: its tokenizer, which returns ragged token ids.
        texts: the texts.
        sequence_length: int, most tokens read of a text.

    Returns:
        float32 `[texts, embedding]`; zeros for a text without tokens.
    """
    table = tf.constant(embedding_table(backbone))  # [vocabulary, embedding]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def means(batch: tf.Tensor) -> tf.Tensor:
        token_ids = tokenizer.tokenize(batch)[:, :sequence_length]
        rows = tf.gather(table, token_ids.flat_values)
        sums = tf.math.segment_sum(rows, token_ids.value_rowids())
        # The last texts may be empty, and have no sums.
        missing = token_ids.nrows() - tf.shape(sums, tf.int64)[0]
        sums = tf.pad(sums, [[0, missing], [0, 0]])
        counts = tf.cast(token_ids.row_lengths(), tf.float32)
        return sums / tf.maximum(counts, 1.0)[:, None]

    batches = tf.data.Dataset.from_tensor_slices(list(texts)).batch(TEXTS_AT_ONCE)
    return np.concatenate([means(batch).numpy() for batch in untuned(batches)])
