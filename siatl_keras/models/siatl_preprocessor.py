"""`SiATLPreprocessor`: raw texts and labels to what `SiATLClassifier` trains on."""

from __future__ import annotations

from typing import Any

import keras
import keras_hub
import tensorflow as tf

from siatl_keras.arguments import check_choice, check_flag, check_whole
from siatl_keras.compat import tokenizer_parts
from siatl_keras.heads.word_scores import NO_WORD
from siatl_keras.models.byte_pair_encoder import BytePairEncoder
from siatl_keras.models.packing import add_start_and_end, next_tokens, pad
from siatl_keras.models.pair_packing import join_pairs, separator_ids
from siatl_keras.models.token_names import check_tokenizer, has_vocabulary

LONG_TEXTS = ("cut", "windows", "words")


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
        pairs: bool, whether what is classified are pairs of texts. They become one row:
            start, first text, separator, second text, end, see `join_pairs`.
        long_texts: "cut" keeps the first `sequence_length` tokens; "windows" keeps
            `max_windows` times as many, which the model reads in windows of
            `sequence_length`, see `read_in_windows`; "words" keeps as many for the
            model's word scores, while the language model reads what "cut" keeps.
        max_windows: int, at least 2, what bounds memory with "windows" and "words".
        **kwargs: see `keras_hub.models.Preprocessor`.

    Call arguments:
        x: string tensor `[batch]` or list of str; with `pairs`, `[batch, 2]` or list of
            tuples of two.
        y: optional int labels `[batch]`.
        sample_weight: optional float `[batch]`, weights of the task loss.

    Returns:
        `x` alone, a dict of `token_ids` and `padding_mask` int32 `[batch, time]`, and
        with "words" of `words` int32 `[batch, words]`, -1 at padding; or, with labels,
        `(x, {"task": labels, "lm": int32 [batch, time]}, {"task": float32 [batch],
        "lm": float32 [batch, time]})`.

    Raises:
        ValueError: if `sequence_length` is under 2 (with `pairs`, leaves no token for
            each text), the tokenizer has nothing to separate pairs with, or another
            argument is nothing of its kind.

    Example:
    >>> import siatl_keras
    >>> tokenizer = siatl_keras.text.WordTokenizer(
    ...     ["<pad>", "<s>", "</s>", "<unk>", "good", "day"])
    >>> SiATLPreprocessor(tokenizer)(["good day"])["token_ids"].numpy().tolist()
    [[1, 4, 5, 2]]
    >>> pairs = SiATLPreprocessor(tokenizer, pairs=True)
    >>> pairs([("good", "day")])["token_ids"].numpy().tolist()
    [[1, 4, 2, 1, 5, 2]]
    """

    def __init__(
        self,
        tokenizer: Any,
        sequence_length: int = 80,
        add_start_token: bool = True,
        add_end_token: bool = True,
        pad_to_sequence_length: bool = False,
        pairs: bool = False,
        long_texts: str = "cut",
        max_windows: int = 16,
        **kwargs: Any,
    ) -> None:
        check_tokenizer(tokenizer)
        # A token and its successor.
        check_whole(2, sequence_length=sequence_length)
        check_flag(
            add_start_token=add_start_token,
            add_end_token=add_end_token,
            pad_to_sequence_length=pad_to_sequence_length,
            pairs=pairs,
        )
        check_choice(LONG_TEXTS, long_texts=long_texts)
        check_whole(2, max_windows=max_windows)
        fixed = pad_to_sequence_length and long_texts == "windows"
        if fixed or (pairs and long_texts != "cut"):
            why = "pairs" if pairs else "pad_to_sequence_length"
            raise ValueError(
                '`long_texts` must be "cut" with `'
                f'{why}=True`. Received: long_texts="{long_texts}".'
            )
        super().__init__(**kwargs)
        self.tokenizer = tokenizer
        self.long_texts = long_texts
        self.max_windows = max_windows
        self.sequence_length = sequence_length
        self.add_start_token = add_start_token
        self.add_end_token = add_end_token
        self.pad_to_sequence_length = pad_to_sequence_length
        self.pairs = pairs
        self._encoder: BytePairEncoder | None = None
        self.built = True
        if pairs and has_vocabulary(tokenizer):
            self._check_room(sequence_length)

    @property
    def separator_ids(self) -> tuple[int, ...]:
        """Ids of the tokens between the texts of a pair; none without `pairs`."""
        if not self.pairs:
            return ()
        encoder = self._current_encoder()
        return separator_ids(
            self.tokenizer, lambda texts: self._tokenize_in_graph(texts, encoder)
        )

    @property
    def most_tokens(self) -> int:
        """Most tokens kept of a text."""
        windows = 1 if self.long_texts == "cut" else self.max_windows
        return self.sequence_length * windows

    @property
    def most_read(self) -> int:
        """Most tokens of a text that the language model reads."""
        is_counted = self.long_texts == "words"
        return self.sequence_length if is_counted else self.most_tokens

    @property
    def tables(self) -> Any:
        """What a served model must keep for tokenizing."""
        return self._current_encoder() or self.tokenizer

    def tokenize(
        self, texts: Any, limit: int | None | str = "most_tokens"
    ) -> tf.RaggedTensor:
        """Tokenizes.

        Args:
            texts: string tensor `[batch]` or list of str; with `pairs`, `[batch, 2]`.
            limit: int, longest row; `most_tokens` by default; `None` for no limit but
                that of bytes, see `BytePairEncoder`.

        Returns:
            int32 ragged `[batch, None]`, start and end tokens included.

        Raises:
            ValueError: if single texts come where pairs are expected, or the opposite.
        """
        return self.tokenize_and_cut(texts, limit)[0]

    def tokenize_and_cut(
        self, texts: Any, limit: int | None | str = "most_tokens"
    ) -> tuple[tf.RaggedTensor, tf.Tensor]:
        """Tokenizes, and tells what was lost; arguments as for `tokenize`.

        Returns:
            `(token_ids int32 ragged [batch, None], is_cut bool [batch])`: of which rows
            the language model does not read all tokens; an end token alone is no loss.
        """
        is_default = limit == "most_tokens"
        most: Any = self.most_tokens if is_default else limit
        read = self.most_read if is_default else most
        texts = self._checked(tf.convert_to_tensor(texts, tf.string))
        # Of pairs, all first texts and then all second ones.
        flat = tf.reshape(tf.transpose(texts), [-1]) if self.pairs else texts
        token_ids = self._tokenize_in_graph(flat, self._current_encoder())
        if not isinstance(token_ids, tf.RaggedTensor):
            raise ValueError(
                "`tokenizer` must return ragged token ids. Received: "
                f"{type(self.tokenizer).__name__}, which returns {token_ids}. Make it "
                "without `sequence_length`: the preprocessor cuts and pads."
            )
        token_ids = tf.cast(token_ids, tf.int32).with_row_splits_dtype(tf.int64)
        start_id, end_id = self._start_and_end
        if self.pairs:
            self._check_room(most)
            rows = tf.shape(texts, tf.int64)[0]
            first, second = token_ids[:rows], token_ids[rows:]
            separator = self.separator_ids
            return join_pairs(first, second, separator, start_id, end_id, most)
        lengths = token_ids.row_lengths() + int(start_id is not None)
        is_cut = tf.fill(tf.shape(lengths), False) if read is None else lengths > read
        return add_start_and_end(token_ids, start_id, end_id, most), is_cut

    @property
    def _start_and_end(self) -> tuple[int | None, int | None]:
        start_id = getattr(self.tokenizer, "start_token_id", None)
        end_id = getattr(self.tokenizer, "end_token_id", None)
        return (
            start_id if self.add_start_token else None,
            end_id if self.add_end_token else None,
        )

    def _checked(self, texts: tf.Tensor) -> tf.Tensor:
        """Refuses single texts where there must be pairs, and the opposite."""
        shape = texts.shape
        if not self.pairs:
            if shape.rank is not None and shape.rank > 1:
                raise ValueError(
                    "`x` must be texts, string [batch]. Received: string "
                    f"{shape}. For pairs of texts, string [batch, 2], make the "
                    "preprocessor with `pairs=True`."
                )
            return texts
        if not shape.is_compatible_with([None, 2]):
            raise ValueError(
                "`x` must be pairs of texts, string [batch, 2]. Received: string "
                f"{shape}. Pass both texts of each row; or, for single texts, make the "
                "preprocessor without `pairs=True`."
            )
        return tf.ensure_shape(texts, [None, 2])

    def _check_room(self, limit: int | None) -> None:
        has_start = self._start_and_end[0] is not None
        least = len(self.separator_ids) + int(has_start) + 2
        if limit is not None and limit < least:
            raise ValueError(
                f"`sequence_length` must be at least {least} for pairs of texts: what "
                "begins and separates them, and a token of each. Received: "
                f"sequence_length={limit}."
            )

    @tf.function(reduce_retracing=True)
    def _tokenize_in_graph(
        self, texts: tf.Tensor, encoder: BytePairEncoder | None
    ) -> tf.RaggedTensor:
        if encoder is not None:
            return encoder.encode(texts, self.most_tokens)
        # KerasHub's tokenizers have another implementation for eager calls, which
        # returns lists and stumbles over broken UTF-8.
        return self.tokenizer.tokenize(texts)

    def _current_encoder(self) -> BytePairEncoder | None:
        """Returns the encoder of a byte-pair tokenizer, made when it is first needed.

        A tokenizer that is loaded gets its vocabulary after it is made.
        """
        if not tokenizer_parts.has_plain_byte_pairs(self.tokenizer):
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
        x = pad(token_ids[:, : self.most_read], pad_id, length)
        words = {}
        if self.long_texts == "words":
            words["words"] = pad(token_ids, NO_WORD)["token_ids"]
        if y is None:
            return x | words
        targets, target_weights = next_tokens(x)
        if sample_weight is None:
            sample_weight = tf.ones(tf.shape(x["token_ids"])[:1])
        return (
            x | words,
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
            "pairs": self.pairs,
            "long_texts": self.long_texts,
            "max_windows": self.max_windows,
        }
