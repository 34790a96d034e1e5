"""`TextCoverage`: how much of its texts a model gets to see, known after tokenizing.

A Chinese file on an English word list becomes `<unk>` all over, and trains without an
error; so do reviews that are cut in the middle.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from siatl_keras.data.marker_ids import marker_ids

# Shares above which something is wrong with the settings rather than with some texts.
MOST_CUT = 0.10
MOST_UNKNOWN = 0.15


@dataclass(frozen=True)
class TextCoverage:
    """What was lost of texts.

    Attributes:
        texts: number of texts.
        cut: how many are longer than `most_read`.
        words: number of words that are kept, start and end tokens not counted; `None`
            for tokenizers that know every word, such as byte-pair ones.
        unknown: how many of these the word list does not have.
        most_read: most tokens of a text that the language model reads.
        counts_rest: whether word scores count the words of the rest.
    """

    texts: int
    cut: int
    words: int | None
    unknown: int
    most_read: int
    counts_rest: bool = False

    def __add__(self, other: TextCoverage) -> TextCoverage:
        """Returns what was lost of the texts of both."""
        return TextCoverage(
            self.texts + other.texts,
            self.cut + other.cut,
            None if self.words is None else self.words + (other.words or 0),
            self.unknown + other.unknown,
            self.most_read,
            self.counts_rest,
        )

    def message(self) -> str:
        """Says it in a line."""
        if self.cut:
            share = self.cut / self.texts
            cut = (
                f"{self.texts:,} texts, {self.cut:,} of them ({share:.1%}) cut at "
                f"{self.most_read} tokens"
            )
            if self.counts_rest:
                cut += " for the language model, no words for the word scores"
        else:
            cut = f"{self.texts:,} texts, none of them cut at {self.most_read} tokens"
        if self.words is None:
            return cut
        share = self.unknown / max(1, self.words)
        return f"{cut}; {share:.1%} of {self.words:,} words are unknown"

    def warning(self) -> str | None:
        """Says what to do about it, if too much is lost."""
        parts = []
        if self.cut > MOST_CUT * self.texts and not self.counts_rest:
            parts.append(
                f"{self.cut / self.texts:.0%} of the texts are cut at "
                f"{self.most_read} tokens: raise `sequence_length`, or pass "
                'long_texts="windows", if what matters may come later.'
            )
        if self.words and self.unknown > MOST_UNKNOWN * self.words:
            parts.append(
                f"{self.unknown / self.words:.0%} of the words are unknown to the "
                "tokenizer, and all the same to the model: take a language model of "
                "the texts' language and kind, or one that knows every word, such as "
                "those with a byte-pair tokenizer."
            )
        return " ".join(parts) or None

    def report(self, verbose: Any = 1) -> None:
        """Prints the message and gives the warning.

        Args:
            verbose: as for `keras.Model.fit`; 0 leaves out the message.
        """
        if verbose:
            print(self.message())
        warning = self.warning()
        if warning:
            warnings.warn(warning, stacklevel=2)


def text_coverage(
    token_ids: tf.RaggedTensor, is_cut: tf.Tensor, preprocessor: Any
) -> TextCoverage:
    """Counts what cutting and looking up have lost.

    Args:
        token_ids: int ragged `[texts, None]`, what is kept.
        is_cut: bool `[texts]`, which texts (or pairs) lost tokens.
        preprocessor: the `SiATLPreprocessor` that made both.

    Returns:
        `TextCoverage`; where texts are cut, the words are those that are kept.
    """
    kept = token_ids.flat_values

    def count(token_id: int) -> int:
        return int(tf.math.count_nonzero(tf.equal(kept, token_id)))

    unknown_id = getattr(preprocessor.tokenizer, "unk_token_id", None)
    words, unknown = None, 0
    if unknown_id is not None:
        words = int(tf.size(kept)) - sum(map(count, marker_ids(preprocessor)))
        unknown = count(unknown_id)
    return TextCoverage(
        texts=int(token_ids.nrows()),
        cut=int(tf.math.count_nonzero(is_cut)),
        words=words,
        unknown=unknown,
        most_read=preprocessor.most_read,
        counts_rest=getattr(preprocessor, "long_texts", None) == "words",
    )
