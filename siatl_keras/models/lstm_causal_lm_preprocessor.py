"""`LSTMCausalLMPreprocessor`: raw texts to language-model inputs and targets."""

from __future__ import annotations

from typing import Any

import keras
import keras_hub
import tensorflow as tf

from siatl_keras.arguments import check_whole
from siatl_keras.models.lstm_backbone import LSTMBackbone
from siatl_keras.models.packing import add_start_and_end, next_tokens, pad
from siatl_keras.models.token_names import check_tokenizer
from siatl_keras.text.word_tokenizer import WordTokenizer


@keras.saving.register_keras_serializable(package="siatl_keras")
class LSTMCausalLMPreprocessor(keras_hub.models.CausalLMPreprocessor):
    """Tokenizes texts for `LSTMCausalLM`; the target of each token is the next one.

    Rows are padded to the longest of their batch, not to `sequence_length`: an LSTM
    pays for every step.

    Args:
        tokenizer: a `WordTokenizer`.
        sequence_length: int, most tokens kept of a text, start and end included.
        **kwargs: see `keras_hub.models.CausalLMPreprocessor`.

    Call arguments:
        x: string tensor `[batch]`, list of str, or one str.

    Returns:
        `(x, y, sample_weight)`: a dict of `token_ids` and `padding_mask` int32
        `[batch, time]`, targets int32 `[batch, time]`, weights float32 `[batch, time]`.

    Raises:
        ValueError: if `sequence_length` is under 2, or `tokenizer` is none.
    """

    backbone_cls = LSTMBackbone
    tokenizer_cls = WordTokenizer

    def __init__(
        self, tokenizer: Any, sequence_length: int = 80, **kwargs: Any
    ) -> None:
        check_tokenizer(tokenizer)
        # A token and its successor.
        check_whole(2, sequence_length=sequence_length)
        super().__init__(tokenizer, sequence_length=sequence_length, **kwargs)

    def tokenize(
        self, texts: Any, limit: int | None | str = "sequence_length"
    ) -> tf.RaggedTensor:
        """Tokenizes.

        Args:
            texts: string tensor `[batch]` or list of str.
            limit: int, longest row; `None` for no limit; `sequence_length` by default.

        Returns:
            int32 ragged `[batch, None]` with start and end tokens.
        """
        texts = tf.convert_to_tensor(texts, tf.string)
        return self.with_markers(self.tokenizer.tokenize(texts), limit)

    def with_markers(
        self, token_ids: tf.RaggedTensor, limit: int | None | str = "sequence_length"
    ) -> tf.RaggedTensor:
        """Makes of the tokenizer's ids what `tokenize` makes of the texts.

        Args:
            token_ids: int32 ragged `[batch, None]`, without start and end tokens.
            limit: as for `tokenize`.

        Returns:
            int32 ragged `[batch, None]` with start and end tokens.
        """
        if limit == "sequence_length":
            limit = self.sequence_length
        return self._with_markers(token_ids, limit, self.add_end_token)

    def pack(
        self, token_ids: tf.RaggedTensor, y: Any = None, sample_weight: Any = None
    ) -> Any:
        """Pads ragged token ids and makes the targets; see the class.

        Args:
            token_ids: int32 ragged `[batch, None]`.
            y: ignored, a language model makes its own targets.
            sample_weight: ignored.

        Returns:
            `(x, y, sample_weight)`, a step shorter than the longest row, since the last
            token has no successor.
        """
        x = pad(token_ids, self.tokenizer.pad_token_id)
        targets, weights = next_tokens(x)
        x = {name: values[:, :-1] for name, values in x.items()}
        return x, targets[:, :-1], weights[:, :-1]

    def call(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        sequence_length: int | None = None,
    ) -> Any:
        """Tokenizes and packs; see the class."""
        with tf.device("cpu"):
            limit = sequence_length or self.sequence_length
            texts = tf.reshape(tf.convert_to_tensor(x, tf.string), [-1])
            return self.pack(self.tokenize(texts, limit))

    def generate_preprocess(
        self, x: Any, sequence_length: int | None = None
    ) -> dict[str, tf.Tensor]:
        """Tokenizes prompts for generation: a start token, no end, room to go on.

        Args:
            x: string tensor `[batch]` or list of str.
            sequence_length: int, tokens after generation; `self.sequence_length` if
                not given.

        Returns:
            dict of `token_ids` and `padding_mask`, int32 `[batch, sequence_length]`.
        """
        limit = sequence_length or self.sequence_length
        texts = tf.convert_to_tensor(x, tf.string)
        token_ids = self.tokenizer.tokenize(texts)
        token_ids = self._with_markers(token_ids, limit, add_end=False)
        return {
            "token_ids": token_ids.to_tensor(shape=[None, limit]),
            "padding_mask": tf.cast(
                tf.sequence_mask(token_ids.row_lengths(), limit), tf.int32
            ),
        }

    def generate_postprocess(self, x: dict[str, Any]) -> list[str]:
        """Turns generated token ids back into texts.

        Args:
            x: dict of `token_ids` and `padding_mask`, int `[batch, time]`.

        Returns:
            list of str, special tokens left out.
        """
        ids = tf.ragged.boolean_mask(
            tf.convert_to_tensor(x["token_ids"]), tf.cast(x["padding_mask"], tf.bool)
        )
        texts = tf.convert_to_tensor(self.tokenizer.detokenize(ids))
        return [text.decode("utf-8") for text in texts.numpy()]

    def _with_markers(
        self, token_ids: tf.RaggedTensor, limit: Any, add_end: bool
    ) -> tf.RaggedTensor:
        return add_start_and_end(
            token_ids,
            self.tokenizer.start_token_id if self.add_start_token else None,
            self.tokenizer.end_token_id if add_end else None,
            limit,
        )
