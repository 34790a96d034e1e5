"""`SiATLPreprocessor`: raw texts and labels to what `SiATLClassifier` trains on."""

from __future__ import annotations

from typing import Any

import keras
import keras_hub
import tensorflow as tf

from siatl_keras import _keras_hub_internals
from siatl_keras.arguments import check_flag, check_whole
from siatl_keras.models.byte_pair_encoder import BytePairEncoder
from siatl_keras.models.packing import add_start_and_end, next_tokens, pad
from siatl_keras.models.token_names import check_tokenizer


@keras.saving.register_keras_serializable(package="siatl_keras")
class SiATLPreprocessor(keras_hub.models.Preprocessor):
    """Tokenizes texts, cuts and pads them, and makes the LM targets beside the labels.

    `tokenize` and `pack` are its two halves, for pipelines that sort by length between
    them.

    Args:
        tokenizer: a `keras_hub.tokenizers.Tokenizer` that runs in a graph and returns
            ragged token ids.
        sequence_length: int, most tokens kept of a text, start and end included (the
            paper keeps 80).
        add_start_token: bool, whether texts begin with the tokenizer's start token, if
            it has one. As the language model was trained is best.
        add_end_token: bool, the same of the end token.
        pad_to_sequence_length: bool, whether rows are always padded to
            `sequence_length`, as some backbones need, or to the longest of their batch.
        **kwargs: see `keras_hub.models.Preprocessor`.

    Call arguments:
        x: string tensor `[batch]` or list of str.
        y: optional int labels `[batch]`.
        sample_weight: optional float `[batch]`, weights of the task loss.

    Returns:
        `x` alone, a dict of `token_ids` and `padding_mask` int32 `[batch, time]`; or,
        with labels, `(x, {"task": labels, "lm": int32 [batch, time]}, {"task": float32
        [batch], "lm": float32 [batch, time]})`.

    Raises:
        ValueError: if `sequence_length` is under 2, or another argument is nothing of
            its kind.
    """

    def __init__(
        self,
        tokenizer: Any,
        sequence_length: int = 80,
        add_start_token: bool = True,
        add_end_token: bool = True,
        pad_to_sequence_length: bool = False,
        **kwargs: Any,
    ) -> None:
        check_tokenizer(tokenizer)
        # A token and its successor.
        check_whole(2, sequence_length=sequence_length)
        check_flag(
            add_start_token=add_start_token,
            add_end_token=add_end_token,
            pad_to_sequence_length=pad_to_sequence_length,
        )
        super().__init__(**kwargs)
        self.tokenizer = tokenizer
        self.sequence_length = sequence_length
        self.add_start_token = add_start_token
        self.add_end_token = add_end_token
        self.pad_to_sequence_length = pad_to_sequence_length
        self._encoder: BytePairEncoder | None = None
        self.built = True

    @property
    def tables(self) -> Any:
        """What a served model must keep for tokenizing."""
        return self._current_encoder() or self.tokenizer

    def tokenize(
        self, texts: Any, limit: int | None | str = "sequence_length"
    ) -> tf.RaggedTensor:
        """Tokenizes.

        Args:
            texts: string tensor `[batch]` or list of str.
            limit: int, longest row; `sequence_length` by default; `None` for no limit
                but that of bytes, see `BytePairEncoder`.

        Returns:
            int32 ragged `[batch, None]`, start and end tokens included.
        """
        token_ids = self._tokenize_in_graph(
            tf.convert_to_tensor(texts, tf.string), self._current_encoder()
        )
        if not isinstance(token_ids, tf.RaggedTensor):
            raise ValueError(
                "`tokenizer` must return ragged token ids. Received: "
                f"{type(self.tokenizer).__name__}, which returns {token_ids}. Make it "
                "without `sequence_length`: the preprocessor cuts and pads."
            )
        start_id = getattr(self.tokenizer, "start_token_id", None)
        end_id = getattr(self.tokenizer, "end_token_id", None)
        return add_start_and_end(
            tf.cast(token_ids, tf.int32),
            start_id if self.add_start_token else None,
            end_id if self.add_end_token else None,
            self.sequence_length if limit == "sequence_length" else limit,  # type: ignore[arg-type]
        )

    @tf.function(reduce_retracing=True)
    def _tokenize_in_graph(
        self, texts: tf.Tensor, encoder: BytePairEncoder | None
    ) -> tf.RaggedTensor:
        if encoder is not None:
            return encoder.encode(texts, self.sequence_length)
        # KerasHub's tokenizers have another implementation for eager calls, which
        # returns lists and stumbles over broken UTF-8.
        return self.tokenizer.tokenize(texts)

    def _current_encoder(self) -> BytePairEncoder | None:
        """Returns the encoder of a byte-pair tokenizer, made when it is first needed.

        A tokenizer that is loaded gets its vocabulary after it is made.
        """
        if not _keras_hub_internals.has_plain_byte_pairs(self.tokenizer):
            return None
        if self._encoder is None or not self._encoder.is_of(self.tokenizer):
            with tf.init_scope():
                self._encoder = BytePairEncoder(self.tokenizer)
        return self._encoder

    def pack(
        self, token_ids: tf.RaggedTensor, y: Any = None, sample_weight: Any = None
    ) -> Any:
        """Pads ragged token ids and makes targets and weights; see the class."""
        # Any id does where there is none: `padding_mask` tells padding apart.
        pad_id = getattr(self.tokenizer, "pad_token_id", None) or 0
        length = self.sequence_length if self.pad_to_sequence_length else None
        x = pad(token_ids, pad_id, length)
        if y is None:
            return x
        targets, target_weights = next_tokens(x)
        if sample_weight is None:
            sample_weight = tf.ones(tf.shape(x["token_ids"])[:1])
        return (
            x,
            {"task": tf.convert_to_tensor(y), "lm": targets},
            {"task": tf.cast(sample_weight, tf.float32), "lm": target_weights},
        )

    def call(self, x: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Tokenizes and packs; see the class."""
        with tf.device("cpu"):
            return self.pack(self.tokenize(x), y, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "sequence_length": self.sequence_length,
            "add_start_token": self.add_start_token,
            "add_end_token": self.add_end_token,
            "pad_to_sequence_length": self.pad_to_sequence_length,
        }
