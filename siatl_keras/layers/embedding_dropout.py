"""`EmbeddingDropout`: drops whole words, the same ones everywhere in a batch.

Dropout on the rows of the embedding matrix (Gal and Ghahramani 2016, section 4.1;
Merity et al. 2018), the paper's "embedding dropout".
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from siatl_keras.arguments import check_share, check_whole


@keras.saving.register_keras_serializable(package="siatl_keras")
class EmbeddingDropout(keras.layers.Layer):
    """Zeroes the vectors of a random share of the vocabulary, in training only.

    Args:
        vocabulary_size: int, number of rows of the embedding matrix.
        rate: float in [0, 1), share of the rows dropped in a batch.
        seed: optional int.
        **kwargs: see `keras.layers.Layer`.

    Call arguments:
        embedded: `[batch, time, embedding]`.
        token_ids: int `[batch, time]`, what was embedded.
        training: bool; without it the layer returns `embedded` unchanged.

    Returns:
        `[batch, time, embedding]`, kept vectors scaled by `1 / (1 - rate)`.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(
        self,
        vocabulary_size: int,
        rate: float,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        check_whole(1, vocabulary_size=vocabulary_size)
        check_share(rate=rate)
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.rate = rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, embedded: Any, token_ids: Any, training: bool = False) -> Any:
        """Drops word types; see the class."""
        if not training or not self.rate:
            return embedded
        keep = keras.random.dropout(
            ops.ones((self.vocabulary_size,), self.compute_dtype),
            self.rate,
            seed=self.seed_generator,
        )
        return embedded * ops.expand_dims(ops.take(keep, token_ids), -1)

    def compute_output_shape(self, embedded_shape: Any, token_ids_shape: Any) -> Any:
        """Returns the shape of `embedded`."""
        return embedded_shape

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "rate": self.rate,
            "seed": self.seed,
        }
