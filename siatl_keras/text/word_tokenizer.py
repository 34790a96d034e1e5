"""`WordTokenizer`: texts to word ids and back, in the graph.

Source: the word-level vocabulary of Chronopoulou et al. 2019, section 4.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import Any

import keras
import keras_hub
import tensorflow as tf

from siatl_keras.atomic import write_text
from siatl_keras.compat import saving, tokenizer_parts
from siatl_keras.presets.check_inside import check_inside
from siatl_keras.text.text_normalizer import TextNormalizer

VOCABULARY_FILE = "vocabulary.txt"
SPECIAL_TOKENS = ("<pad>", "<s>", "</s>", "<unk>")


@keras.saving.register_keras_serializable(package="siatl_keras")
class WordTokenizer(keras_hub.tokenizers.Tokenizer):
    """Normalises texts, splits them into words, and looks the words up.

    Gives the same ids eagerly, in tf.data and inside an exported SavedModel. Ids 0 to 3
    are `<pad>`, `<s>`, `</s>` and `<unk>`; a word outside the vocabulary is `<unk>`.

    Args:
        vocabulary: list of words, or the path of a file with one word per line, special
            tokens first. May be set later by `set_vocabulary` or `load_assets`.
        normalizer: a `TextNormalizer`; the default has all its rules on.
        **kwargs: see `keras_hub.tokenizers.Tokenizer`.

    Call arguments:
        inputs: str, list of str or string tensor.

    Returns:
        int32 ragged `[batch, None]`; int32 `[words]` for a single text. Called eagerly,
        nested lists instead of ragged, as all KerasHub tokenizers; `tokenize` gives
        ragged there too.

    Raises:
        ValueError: if the vocabulary does not begin with the special tokens, or holds
            an empty or repeated word or a space.

    Example:
    >>> tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", "so", "glad", "!"])
    >>> tokenizer.tokenize(["So glad!", "So what"]).to_list()
    [[4, 5, 6], [4, 3]]
    >>> tokenizer.detokenize([4, 5, 6]).numpy()
    b'so glad !'
    """

    def __init__(
        self,
        vocabulary: str | os.PathLike[str] | Iterable[str] | None = None,
        normalizer: TextNormalizer | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("dtype", "int32")
        super().__init__(**kwargs)
        if isinstance(normalizer, dict):
            normalizer = keras.saving.deserialize_keras_object(normalizer)
        normalizer = TextNormalizer() if normalizer is None else normalizer
        if not isinstance(normalizer, TextNormalizer):
            raise ValueError(
                "`normalizer` must be a TextNormalizer. Received: a "
                f"{type(normalizer).__name__}."
            )
        self.normalizer: TextNormalizer = normalizer
        self.file_assets = [VOCABULARY_FILE]
        self._vocabulary: list[str] | None = None
        for token, name in zip(SPECIAL_TOKENS, _SPECIAL_NAMES, strict=True):
            tokenizer_parts.add_special_token(self, token, name)
        if vocabulary is not None:
            self.set_vocabulary(vocabulary)

    def set_vocabulary(
        self, vocabulary: str | os.PathLike[str] | Iterable[str]
    ) -> None:
        """Sets the words, from a list or a file; see the class.

        Args:
            vocabulary: list of words, or path of a file with one word per line.

        Raises:
            ValueError: as the class; also if the file is missing or not UTF-8.
        """
        source = "`vocabulary`"
        if isinstance(vocabulary, (str, os.PathLike)):
            source = os.fspath(vocabulary)
            vocabulary = _read_vocabulary(source)
        if not isinstance(vocabulary, Iterable):
            raise ValueError(
                "`vocabulary` must be a list of words, or the path of a file. "
                f"Received: vocabulary={vocabulary!r}."
            )
        self._set_words(list(vocabulary), source)

    def _set_words(self, words: list[str], source: str) -> None:
        _check_vocabulary(words, source)
        self._vocabulary = words
        with tf.init_scope():
            self._words = tf.constant(words)
            self._table = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(
                    self._words, tf.range(len(words), dtype=tf.int32)
                ),
                default_value=SPECIAL_TOKENS.index("<unk>"),
            )
        self._ids = {word: index for index, word in enumerate(words)}
        tokenizer_parts.update_special_token_ids(self)

    def split(self, inputs: Any) -> tf.RaggedTensor:
        """Normalises and splits into words.

        Args:
            inputs: str, list of str or string tensor `[batch]`.

        Returns:
            ragged string `[batch, None]`; string `[words]` for a single text.
        """
        return self.normalizer.split(inputs)

    def tokenize(self, inputs: Any) -> Any:
        """Splits and looks up; see the class."""
        self._check_has_vocabulary()
        words = self.split(inputs)
        if isinstance(words, tf.RaggedTensor):
            return words.with_flat_values(self._table.lookup(words.flat_values))
        return self._table.lookup(words)

    def detokenize(self, inputs: Any) -> tf.Tensor:
        """Joins the words of ids by spaces, leaving out padding, start and end.

        Args:
            inputs: int `[batch, time]`, dense or ragged, or `[time]`.

        Returns:
            string `[batch]`, or scalar.
        """
        self._check_has_vocabulary()
        if not isinstance(inputs, tf.RaggedTensor):
            inputs = (
                tf.ragged.constant(inputs, dtype=tf.int32)
                if isinstance(inputs, list)
                else tf.convert_to_tensor(inputs)
            )
        single = inputs.shape.rank == 1
        if single:
            inputs = inputs[tf.newaxis]
        if not isinstance(inputs, tf.RaggedTensor):
            inputs = tf.RaggedTensor.from_tensor(inputs)
        ids = tf.cast(inputs, tf.int32)
        silent = SPECIAL_TOKENS.index("<unk>")
        ids = tf.ragged.boolean_mask(ids, ids >= silent)
        words = ids.with_flat_values(tf.gather(self._words, ids.flat_values))
        texts = tf.strings.reduce_join(words, axis=-1, separator=" ")
        return texts[0] if single else texts

    def fingerprint(self) -> dict[str, Any]:
        """Tells what the ids of texts depend on, to be kept beside stored ids.

        Returns:
            dict that JSON can hold: the class, the SHA-256 of the vocabulary, the
            normaliser's switches, and the SHA-256 of the words that it makes of a
            sample, which are others after a change of its rules.
        """
        sample = self.split([_SAMPLE]).flat_values.numpy().tolist()
        words = [word.encode() for word in self.get_vocabulary()]
        return {
            "class": type(self).__name__,
            "vocabulary_sha256": _sha256(words),
            "normalizer": self.normalizer.get_config(),
            "sample_sha256": _sha256(sample),
        }

    def get_vocabulary(self) -> list[str]:
        """Returns the words in the order of their ids."""
        self._check_has_vocabulary()
        return list(self._vocabulary or [])

    def vocabulary_size(self) -> int:
        """Returns the number of words, special tokens included."""
        self._check_has_vocabulary()
        return len(self._vocabulary or [])

    def id_to_token(self, id: int) -> str:
        """Returns the word of an id; `ValueError` if there is none."""
        if not 0 <= id < self.vocabulary_size():
            raise ValueError(
                f"`id` must be in range(0, {self.vocabulary_size()}). Received: {id}."
            )
        return (self._vocabulary or [])[id]

    def token_to_id(self, token: str) -> int:
        """Returns the id of a word, `<unk>`'s if it is not in the vocabulary.

        The word is looked up as it stands, without normalising it.
        """
        self._check_has_vocabulary()
        return self._ids.get(token, SPECIAL_TOKENS.index("<unk>"))

    def save_assets(self, dir_path: str) -> None:
        """Writes the vocabulary into a folder, all or nothing."""
        words = self.get_vocabulary()
        path = os.path.join(dir_path, VOCABULARY_FILE)
        write_text(path, "".join(f"{word}\n" for word in words))

    def load_assets(self, dir_path: str) -> None:
        """Reads the vocabulary from a folder, `<preset>/assets/tokenizer` as a rule.

        Args:
            dir_path: the folder.

        Raises:
            ValueError: as the class; also if the file is a link to outside of the
                preset.
        """
        path = os.path.join(dir_path, VOCABULARY_FILE)
        folder = os.path.abspath(dir_path)
        if os.path.basename(os.path.dirname(folder)) == "assets":
            folder = os.path.dirname(os.path.dirname(folder))
        check_inside(path, folder)
        self._set_words(_read_vocabulary(path), path)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments; the vocabulary is an asset."""
        return {
            **super().get_config(),
            "normalizer": keras.saving.serialize_keras_object(self.normalizer),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> WordTokenizer:
        """Makes a tokenizer of a saved config.

        Args:
            config: what `get_config` returned.

        Raises:
            ValueError: if it names a file as vocabulary, unless Keras's safe mode is
                off.
        """
        path = config.get("vocabulary")
        if isinstance(path, str) and saving.in_safe_mode():
            raise ValueError(
                f"`vocabulary` names the file {path[:200]!r}, which is not part of the "
                "saved model: it could be any file of this machine. If you trust the "
                "model, call `keras.config.enable_unsafe_deserialization()`."
            )
        return super().from_config(config)

    def _check_has_vocabulary(self) -> None:
        if self._vocabulary is None:
            raise ValueError(
                "The WordTokenizer has no vocabulary yet. Pass `vocabulary=`, or call "
                "`set_vocabulary` or `load_assets`."
            )


# Something for each rule of the normaliser.
_SAMPLE = (
    "RT @Bob_1: SOOO glaaad &amp; don't #NotFunny #so2021 :-) <3 \U0001f44d\U0001f3fd "
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 https://a.bc/d?e=f www.g.hi j@k.lm $5 "
    "20 euros 3.5% 555-123-4567 8/21/82 May 4th, 2019 9:30 5 pm 1,234 x86 NOT GOOD!!! "
    "wait... \uff46\uff55\uff4c\uff4c caf\u00e9 \u2026 \u4f60\u597d <user> </s> e-mail "
    "it's _x_ *y* \u201cz\u201d"
)

_SPECIAL_NAMES = ("pad_token", "start_token", "end_token", "unk_token")


def _sha256(words: list[bytes]) -> str:
    return hashlib.sha256(b"".join(word + b"\n" for word in words)).hexdigest()


def _read_vocabulary(path: str) -> list[str]:
    if not os.path.isfile(path):
        raise ValueError(
            f"{path}: no such file. Pass a list of words, or the path of a file with a "
            "word per line, as `build_vocabulary(…).save(path)` writes it."
        )
    words = []
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                words.append(line.decode("utf-8").rstrip("\r\n"))
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{path}, line {number}: not UTF-8 (byte {error.start + 1} is "
                    f"0x{line[error.start]:02x}). Build the vocabulary again, or "
                    "convert the file with `iconv`."
                ) from error
    return words


def _check_vocabulary(words: list[str], source: str) -> None:
    if tuple(words[:4]) != SPECIAL_TOKENS:
        raise ValueError(
            f"{source}: the vocabulary must begin with {list(SPECIAL_TOKENS)}, one "
            f"per line. Received: {_quoted(words[:4])}. Put them first, or build the "
            "vocabulary with `build_vocabulary`."
        )
    seen: dict[str, int] = {}
    for line, word in enumerate(words, start=1):
        if not isinstance(word, str) or word.split() != [word]:
            raise ValueError(
                f"{source}, line {line}: a word must be a string that is not empty and "
                f"holds no white space. Received: {_quoted(word)}. Mend or "
                "remove it."
            )
        if word in seen:
            raise ValueError(
                f"{source}, line {line}: {_quoted(word)} stands already in line "
                f"{seen[word]}. Remove one of them."
            )
        seen[word] = line


def _quoted(read: Any) -> str:
    """Quotes little: what was read may be a file that is nobody's business."""
    if isinstance(read, str):
        return repr(read if len(read) <= 20 else read[:20] + "…")
    text = repr([str(word)[:20] for word in read]) if isinstance(read, list) else ""
    text = text or repr(read)
    return text if len(text) <= 20 else f"{text[:20]}…"
