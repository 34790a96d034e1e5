"""`WordScores`: what the words of a text say by themselves, mixed into the outputs.

A linear model of counted words knows what a language model of few texts does not learn:
that a rare word decides. Sources: Cheng et al. 2016, "Wide & deep learning for
recommender systems"; Wang & Manning 2012, "Baselines and bigrams", for what counting
words is worth.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from siatl_keras.arguments import check_whole

# In place of a word, where there is none.
NO_WORD = -1


@keras.saving.register_keras_serializable(package="siatl_keras")
class WordScores(keras.layers.Layer):
    """Mixes the outputs of a task head with those of a linear model of words.

    Each word of a text counts once, by its rarity; the text's counts have length 1.
    The weights are not trained but fitted, by `siatl_keras.models.learn_word_scores`;
    before it, and in training, the outputs are returned as they are.

    Args:
        vocabulary_size: int, number of words.
        num_outputs: int, of the task head.
        **kwargs: see `keras.layers.Layer`.

    Call arguments:
        outputs: float32 `[batch, num_outputs]`.
        x: dict of `token_ids` and `padding_mask`, int32 `[batch, time]`, and where
            these are not the whole texts, of `words`, int32 `[batch, words]`, -1 at
            padding.
        training: bool.

    Returns:
        float32 `[batch, num_outputs]`.

    Raises:
        ValueError: if an argument is out of range.
    """

    def __init__(self, vocabulary_size: int, num_outputs: int, **kwargs: Any) -> None:
        check_whole(1, vocabulary_size=vocabulary_size, num_outputs=num_outputs)
        # float32: half of its digits are not enough for thousands of rare words.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.vocabulary_size = vocabulary_size
        self.num_outputs = num_outputs

    def build(self, outputs_shape: Any, x_shape: Any = None) -> None:
        """Makes the weights."""
        sizes = {
            "table": (self.vocabulary_size, self.num_outputs),
            "rarity": (self.vocabulary_size,),
            "bias": (self.num_outputs,),
            "share": (),
        }
        for name, shape in sizes.items():
            weight = self.add_weight(
                shape=shape, initializer="zeros", trainable=False, name=name
            )
            setattr(self, name, weight)

    def call(self, outputs: Any, x: dict[str, Any], training: bool = False) -> Any:
        """Mixes; see the class."""
        if training:
            return outputs
        return outputs + self.share * (self.scores(x) - outputs)

    def scores(self, x: dict[str, Any]) -> Any:
        """Computes what words alone say, float32 `[batch, num_outputs]`.

        Args:
            x: see the class.
        """
        words = ops.sort(words_of(x), axis=1)
        before = ops.pad(words[:, :-1], ((0, 0), (1, 0)), constant_values=NO_WORD)
        counts = ops.cast(words != before, "float32")  # Neither padding nor a second.
        words = ops.maximum(words, 0)
        rarity = counts * ops.take(self.rarity, words)
        length = ops.sqrt(ops.sum(rarity * rarity, axis=1, keepdims=True))
        length = ops.where(length > 0, length, 1.0)  # Of a text of no words.
        rows = ops.take(self.table, words, axis=0)  # [batch, time, outputs]
        return ops.einsum("bt,bto->bo", rarity / length, rows) + self.bias

    def set_scores(
        self, table: np.ndarray, rarity: np.ndarray, bias: np.ndarray
    ) -> None:
        """Takes a fitted linear model.

        Args:
            table: float `[vocabulary_size, num_outputs]`.
            rarity: float `[vocabulary_size]`.
            bias: float `[num_outputs]`.
        """
        self.table.assign(table)
        self.rarity.assign(rarity)
        self.bias.assign(bias)

    def compute_output_spec(
        self, outputs: Any, x: dict[str, Any], training: bool = False
    ) -> Any:
        """Returns the spec of the outputs."""
        return keras.KerasTensor(outputs.shape, dtype="float32")

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "num_outputs": self.num_outputs,
        }


def words_of(x: dict[str, Any]) -> Any:
    """Finds the words that are counted of texts.

    Args:
        x: see `WordScores`.

    Returns:
        int32 `[batch, words]`, -1 at padding.
    """
    if "words" in x:
        return x["words"]
    return ops.where(x["padding_mask"] > 0, x["token_ids"], NO_WORD)
